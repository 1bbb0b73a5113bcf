"""The door: every request is turned into a caller here, and nowhere else."""

import base64
import binascii
import hmac
from collections.abc import Mapping

import msgspec
from starlette.requests import Request

from endcap.access.keys import digest, is_key
from endcap.access.visitor_tokens import visitor_of
from endcap.core.access import BROWSER_SCOPES, EVERY_SCOPE, Caller
from endcap.core.accounts import Key
from endcap.core.errors import Forbidden, InvalidToken, Unauthenticated
from endcap.core.times import SECOND
from endcap.services.security import Security

from .addresses import Network, address_of, host_of, is_local_name, is_local_origin

COOKIE = "__Host-endcap"
LOCAL_COOKIE = "endcap_session"
"""On loopback over plain http, where a browser takes no `__Host-` cookie."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
VISITOR_TOKEN = "x-visitor-token"  # noqa: S105 - the name of a header


class DoorRules(msgspec.Struct, frozen=True, kw_only=True):
    """How this installation lets callers in.

    `open` lets everybody on this machine do everything (only ever on loopback). `shops` maps host
    names to shops; other hosts are the `shop`'s.
    """

    shop: str
    shops: Mapping[str, str] = msgspec.field(default_factory=dict)
    open: bool = False
    api_key: str = ""
    secure: bool = False
    proxies: tuple[Network, ...] = ()


class Door:
    """Reads credentials. A request with a bad one is refused even where none would be needed."""

    def __init__(self, security: Security, rules: DoorRules) -> None:
        self.security = security
        self.rules = rules
        self._api_key = rules.api_key.encode()

    async def caller(self, request: Request) -> Caller:
        """Who makes the request; `anonymous` when it brings no credential.

        Raises InvalidToken for a credential that is not right, Forbidden for a request that a
        browser was made to send by a foreign page.
        """
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, credential = authorization.partition(" ")
            if scheme.lower() == "bearer":
                return await self._bearer(request, credential.strip())
            if scheme.lower() == "basic":
                return await self._bearer(request, _user(credential))
            if not self.rules.open:
                raise Unauthenticated
        key = request.query_params.get("key") if b"key=" in request.scope["query_string"] else None
        if key is not None:
            return await self._browser_only(request, key)
        session = self.session_of(request)
        if session is not None:
            caller = await self.security.people.caller(session)
            if caller is not None:
                self._check_session_request(request, caller)
                return caller
        shop = self.shop_of(request)
        if self.rules.open:
            self._check_local(request)
            return Caller(kind="local", name="", shop=shop, scopes=EVERY_SCOPE)
        return Caller(kind="anonymous", name="", shop=shop)

    def shop_of(self, request: Request) -> str:
        """The shop of the host asked for; what a credential says goes before it."""
        if not self.rules.shops:
            return self.rules.shop
        return self.rules.shops.get(host_of(request), self.rules.shop)

    def address(self, request: Request) -> str:
        """The sender's address, for limits only; it is not kept."""
        return address_of(request, self.rules.proxies)

    def session_of(self, request: Request) -> str | None:
        """The session id among the cookies."""
        if b"cookie" not in dict(request.scope["headers"]):
            return None
        name = COOKIE if self.rules.secure else LOCAL_COOKIE
        return request.cookies.get(name)

    async def _bearer(self, request: Request, credential: str) -> Caller:
        if self._api_key and hmac.compare_digest(
            credential.encode("utf-8", "replace"), self._api_key
        ):
            return Caller(
                kind="key", name="api_key", shop=self.shop_of(request), scopes=EVERY_SCOPE
            )
        if credential.startswith("rk_"):
            return await self._by_key(request, credential)
        caller = self.security.authority.caller(credential)
        await self.security.clients.take(caller.name)
        return caller

    async def _browser_only(self, request: Request, credential: str) -> Caller:
        caller = await self._by_key(request, credential)
        if caller.kind != "browser":
            raise InvalidToken("only a publishable key may stand in an address")
        return caller

    async def _by_key(self, request: Request, credential: str) -> Caller:
        found = self.security.directory.key(digest(credential)) if is_key(credential) else None
        if found is None:
            raise InvalidToken("the key is not valid (any more)")
        shop, key = found
        name, scopes = key.id, frozenset(key.scopes)
        if key.kind == "secret":
            await self.security.clients.take(name, per_minute=key.per_minute)
            return Caller(kind="key", name=name, shop=shop, scopes=scopes)
        self._check_origin(request, key)
        await self.security.browser_keys.take(name, per_minute=key.per_minute)
        await self.security.addresses.take(self.address(request))
        return Caller(
            kind="browser",
            name=name,
            shop=shop,
            scopes=scopes & BROWSER_SCOPES,
            visitor=self._visitor(request, shop, key),
        )

    def _check_origin(self, request: Request, key: Key) -> None:
        origin = request.headers.get("origin")
        if origin is None and request.headers.get("sec-fetch-site") == "same-origin":
            return
        if origin is None or origin not in key.origins:
            raise Forbidden(f"this key works from its own origins only, not from `{origin}`")

    def _visitor(self, request: Request, shop: str, key: Key) -> str | None:
        token = request.headers.get(VISITOR_TOKEN)
        if token is None:
            if key.visitor_tokens:
                raise Forbidden("this key needs a signed visitor token in X-Visitor-Token")
            return None
        secrets = [k for k in self.security.directory.all(shop, Key) if k.kind == "secret"]
        now = self.security.clock()
        alive = [k.digest for k in secrets if k.expires_at is None or k.expires_at > now]
        visitor = visitor_of(token, alive, now // SECOND)
        if visitor is None:
            raise InvalidToken("the visitor token is not valid (any more)")
        return visitor

    def _check_session_request(self, request: Request, caller: Caller) -> None:
        """A change by cookie must come from our own pages and carry the session's token.

        Forms carry it in a field, which `checked_form` looks at; anything else in a header.
        """
        if request.method in SAFE_METHODS:
            return
        if not same_site(request):
            raise Forbidden("the request comes from a page of another site")
        token = request.headers.get("x-csrf-token")
        is_form = request.headers.get("content-type", "").partition(";")[0].strip() in FORMS
        if token is None and is_form and takes_forms(request):
            return
        if not self.security.people.csrf_is_right(caller.session or "", token or ""):
            raise Forbidden("the request lacks its session's X-CSRF-Token")

    def _check_local(self, request: Request) -> None:
        """With the door open, pages of other sites in this machine's browsers stay out."""
        host = host_of(request)
        if not is_local_name(host) and host not in self.rules.shops:
            raise Forbidden(
                f"`{host}` is no name of this machine; while `auth` is off only local names work"
            )
        if request.method in SAFE_METHODS or same_site(request):
            return
        # A shop under development on this machine may send events from its own port.
        origin = request.headers.get("origin", "")
        if not (request.url.path.startswith(BROWSER_PATHS) and is_local_origin(origin)):
            raise Forbidden("the request comes from a page of another site")


BROWSER_PATHS = ("/v1/events", "/v1/recommendations")
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_FORM_PATHS = ("/dashboard", "/login", "/logout", "/account", "/oauth/authorize")


def takes_forms(request: Request) -> bool:
    """Whether the address is one whose handler checks the form's own token (`checked_form`)."""
    path = request.url.path
    return any(path == start or path.startswith(start + "/") for start in _FORM_PATHS)


def same_site(request: Request) -> bool:
    """Whether a browser says that our own page (or no page) made the request.

    `Sec-Fetch-Site` where the browser sends it, else `Origin`; a request with neither was not made
    by a page of a browser of the last years.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin, host = request.headers.get("origin"), request.headers.get("host")
    return origin is None or (bool(host) and origin.partition("://")[2] == host)


def _user(credential: str) -> str:
    """The user of Basic authentication, which is where Segment's libraries put the key."""
    try:
        decoded = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise InvalidToken("Basic authentication must be base64 of `key:`") from error
    return decoded.partition(":")[0]
