"""Pages for people: signing in and out, the own account."""

from importlib import resources
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from endcap.core.accounts import Account
from endcap.core.errors import EndcapError, Forbidden, InvalidToken, NotFound

from .door import COOKIE, LOCAL_COOKIE, Door, same_site
from .pagecalls import checked_form, csrf_token, current_account, read_form, to_login

HOME = "/dashboard"
SIGN_IN = "_signin"
"""Ends the name of the cookie of a sign-in that was begun at an identity provider."""
CSP = (
    "default-src 'none'; style-src 'self'; form-action 'self'{more}; frame-ancestors 'none'; "
    "base-uri 'none'"
)


class Pages:
    """The pages over one door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._people = door.security.people
        self._templates = Environment(
            loader=PackageLoader("endcap.web.auth"), autoescape=True, auto_reload=False
        )

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/login/style.css", _style),
            Route("/login/oidc", self.to_provider, methods=["GET"]),
            Route("/login/oidc/callback", self.from_provider, methods=["GET"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/account", self.account, methods=["GET", "POST"]),
        ]

    def show(self, name: str, status: int = 200, more: str = "", **values: Any) -> Response:
        """A page; `more` is one more place that forms may lead to."""
        content = self._templates.get_template(name).render(**values)
        headers = {
            "content-security-policy": CSP.format(more=f" {more}" if more else ""),
            "cache-control": "no-store",
        }
        return Response(content, status, headers, "text/html")

    async def login(self, request: Request) -> Response:
        """The form, and what it sends."""
        if request.method != "POST":
            after = _inside(request.query_params.get("next", ""))
            link = request.query_params.get("link", "")[:2_000]
            return self._login(200, next=after, link=link)
        if not same_site(request):
            raise Forbidden("the form was sent by a page of another site")
        form = await read_form(request)
        address = self._door.address(request)
        after = _inside(form.get("next", ""))
        try:
            if form.get("link"):
                _, session = await self._people.use_link(form["link"], address)
            else:
                shop = self._door.shop_of(request)
                given = form.get("name", "")[:200], form.get("password", "")
                session = await self._people.sign_in(shop, *given, address)
        except EndcapError as error:
            problem = error.title if error.status == 401 else error.detail
            if isinstance(error, InvalidToken):
                problem = error.detail
            page = self._login(error.status, next=after, link="", problem=problem)
            if error.retry_after is not None:
                page.headers["retry-after"] = str(error.retry_after)
            return page
        return await self._signed_in(request, session, after)

    async def to_provider(self, request: Request) -> Response:
        """To the identity provider."""
        oidc = self._door.security.oidc
        if oidc is None:
            raise NotFound("nobody signs in elsewhere here; see the setting oidc_client_id")
        try:
            address, kept = await oidc.begin(_inside(request.query_params.get("next", "")))
        except EndcapError as error:
            return self._login(503, next=HOME, link="", problem=error.detail)
        response = RedirectResponse(address, status_code=303)
        response.headers["cache-control"] = "no-store"
        self._set_cookie(response, kept, 600, SIGN_IN)
        return response

    async def from_provider(self, request: Request) -> Response:
        """Back from the identity provider, with a code or an error."""
        oidc = self._door.security.oidc
        if oidc is None:
            raise NotFound("nobody signs in elsewhere here; see the setting oidc_client_id")
        given, name = request.query_params, self._cookie_name(SIGN_IN)
        try:
            await self._people.check_address(self._door.address(request))
            if len(given.multi_items()) != len(given):
                raise InvalidToken("the answer of the identity provider cannot be read")
            session, after = await oidc.finish(given, request.cookies.get(name, ""))
        except EndcapError as error:
            status = error.status if error.status < 500 else 502
            page = self._login(status, next=HOME, link="", problem=error.detail)
            self._set_cookie(page, "", 0, SIGN_IN)
            return page
        response = await self._signed_in(request, session, _inside(after))
        self._set_cookie(response, "", 0, SIGN_IN)
        return response

    def _login(self, status: int, **values: Any) -> Response:
        oidc = self._door.security.oidc
        return self.show("login.html", status, oidc=oidc.title if oidc else "", **values)

    async def logout(self, request: Request) -> Response:
        """End this session, or all of the account's."""
        caller = current_account(request)
        form = await checked_form(request)
        if caller is not None and caller.session is not None:
            if form.get("all"):
                await self._people.end_all(caller.shop, caller.name, caller.audited_as)
            await self._people.end(caller.session)
        response = RedirectResponse("/login", status_code=303)
        self._set_cookie(response, "", 0)
        return response

    async def account(self, request: Request) -> Response:
        """The own account: roles and password."""
        caller = current_account(request)
        if caller is None or caller.kind != "account":
            return to_login(request)
        directory = self._door.security.directory
        account = directory.get(caller.shop, Account, caller.name)
        problem = ""
        if request.method == "POST" and account.issuer:
            raise Forbidden(f"the password of this account is kept at {account.issuer}")
        if request.method == "POST":
            try:
                return await self._change_password(request, account)
            except EndcapError as error:
                problem = "; ".join(p.message for p in error.problems) or error.title
        return self.show(
            "account.html",
            422 if problem else 200,
            person=account.name,
            roles=account.roles,
            has_password=bool(account.password),
            issuer=account.issuer,
            csrf=csrf_token(request),
            problem=problem,
            done="Your password was changed." if "changed" in request.query_params else "",
        )

    async def _change_password(self, request: Request, account: Account) -> Response:
        caller = current_account(request)
        assert caller is not None
        form = await checked_form(request)
        if account.password:
            address = self._door.address(request)
            given = account.name, form.get("password", "")
            again = await self._people.sign_in(caller.shop, *given, address)
            await self._people.end(again)
        hashed = await self._people.hash_of(form.get("fresh", ""), (account.name,))
        changed = msgspec.structs.replace(account, password=hashed, epoch=account.epoch + 1)
        await self._door.security.directory.put(caller.shop, changed, caller.audited_as, "password")
        session = await self._people.start(caller.shop, changed)
        return await self._signed_in(request, session, "/account?changed=1")

    async def _signed_in(self, request: Request, session: str, after: str) -> Response:
        """A fresh session id in the cookie; the one the browser brought, if any, ends."""
        before = self._door.session_of(request)
        if before is not None:
            await self._people.end(before)
        response = RedirectResponse(after, status_code=303)
        self._set_cookie(response, session, 12 * 3_600)
        return response

    def _cookie_name(self, suffix: str = "") -> str:
        return (COOKIE if self._door.rules.secure else LOCAL_COOKIE) + suffix

    def _set_cookie(self, response: Response, value: str, seconds: int, suffix: str = "") -> None:
        secure = self._door.rules.secure
        response.set_cookie(
            self._cookie_name(suffix),
            value,
            max_age=seconds,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )


async def _style(_: Request) -> Response:
    text = resources.files(__package__).joinpath("templates/style.css").read_text("utf-8")
    return Response(text, media_type="text/css", headers={"cache-control": "max-age=86400"})


def _inside(address: str) -> str:
    """An address of this server to go on to; anything else becomes the dashboard."""
    good = address.startswith("/") and address.isprintable() and address.isascii()
    if not good or address.startswith("//") or "\\" in address or len(address) > 1_000:
        return HOME
    return address
