"""`/oauth/authorize`: a person lets a tool act for them (authorization code with PKCE, S256)."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from endcap.core.access import SCOPES, Caller
from endcap.core.accounts import Account, Client
from endcap.services.authority import Subject

from .door import Door
from .pagecalls import checked_form, csrf_token, current_account, to_login
from .pages import Pages

FIELDS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class Authorize:
    """The page that asks, and the answer to it."""

    def __init__(self, door: Door, pages: Pages) -> None:
        self._door = door
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its address."""
        return [Route("/oauth/authorize", self.authorize, methods=["GET", "POST"])]

    async def authorize(self, request: Request) -> Response:
        """Ask on GET, act on POST. What is wrong with client or redirect is never redirected."""
        caller = current_account(request)
        if request.method == "GET":
            fields: Mapping[str, str] = dict(request.query_params)
            repeated = len(request.query_params.multi_items()) != len(fields)
        else:
            fields, repeated = await checked_form(request), False
        found = self._door.security.directory.client(fields.get("client_id", ""))
        uri = fields.get("redirect_uri", "")
        if repeated or found is None or found[1].disabled or uri not in found[1].redirect_uris:
            problem = "The tool that sent you is not known here, or asks to go to a wrong address."
            return self._pages.show("message.html", 400, heading="Cannot go on", problem=problem)
        shop, client = found
        problem = _problem(fields, client)
        if not problem and (caller is None or caller.kind != "account"):
            return to_login(request)
        if problem or caller is None or caller.shop != shop:
            return self._back(uri, fields, error=problem or "access_denied")
        return await self._answer(request, fields, client, caller)

    async def _answer(
        self, request: Request, fields: Mapping[str, str], client: Client, caller: Caller
    ) -> Response:
        uri = fields["redirect_uri"]
        scopes = self._scopes(fields, client, caller)
        if not scopes:
            return self._back(uri, fields, error="invalid_scope")
        if request.method == "GET":
            return self._ask(request, client, fields, scopes)
        if fields.get("answer") != "allow":
            return self._back(uri, fields, error="access_denied")
        account = self._door.security.directory.get(caller.shop, Account, caller.name)
        subject = Subject(shop=caller.shop, client=client, account=account)
        code = await self._door.security.grants.new_code(
            subject, uri, fields["code_challenge"], scopes
        )
        return self._back(uri, fields, code=code)

    def _ask(
        self, request: Request, client: Client, fields: Mapping[str, str], scopes: frozenset[str]
    ) -> Response:
        uri = fields["redirect_uri"]
        caller = current_account(request)
        parts = urlsplit(uri)
        return self._pages.show(
            "authorize.html",
            more=f"{parts.scheme}://{parts.netloc}",
            client=client.title or client.id,
            person=caller.name if caller else "",
            target=uri,
            scopes=[SCOPES[scope] for scope in sorted(scopes)],
            fields={name: fields[name] for name in FIELDS if name in fields},
            csrf=csrf_token(request),
        )

    def _scopes(self, fields: Mapping[str, str], client: Client, caller: Caller) -> frozenset[str]:
        asked = frozenset(fields.get("scope", "").split()) or frozenset(client.scopes)
        return asked & frozenset(client.scopes) & caller.scopes

    def _back(self, uri: str, fields: Mapping[str, str], **answer: str) -> Response:
        issuer = self._door.security.authority.issuer
        values = {**answer, "iss": issuer}
        if "state" in fields:
            values["state"] = fields["state"][:1_000]
        joint = "&" if "?" in uri else "?"
        return RedirectResponse(f"{uri}{joint}{urlencode(values)}", status_code=303)


def _problem(fields: Mapping[str, str], client: Client) -> str:
    """The error of RFC 6749 or RFC 7636 that the request makes, or nothing."""
    if fields.get("response_type") != "code":
        return "unsupported_response_type"
    if fields.get("code_challenge_method") != "S256":
        return "invalid_request"
    if not _CHALLENGE.fullmatch(fields.get("code_challenge", "")):
        return "invalid_request"
    if not set(fields.get("scope", "").split()) <= set(client.scopes):
        return "invalid_scope"
    return ""
