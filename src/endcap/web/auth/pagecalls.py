"""The caller of a page, the scope a page needs, and the token of its forms."""

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.core.access import SCOPES, Caller
from endcap.core.errors import (
    BodyTooLarge,
    ConfigurationError,
    EndcapError,
    Forbidden,
    InvalidInput,
    Unauthenticated,
)

from .door import Door

Page = Callable[[Request], Awaitable[Response]]
PAGES = ("/dashboard", "/account", "/logout", "/oauth/authorize")
"""Addresses (and all below them) whose caller is found before the page is called."""
MAX_FORM = 1_000_000
LOCAL_CSRF = "local"
"""The form token while no sign-in is asked for; there is no session to protect."""


class PageCallers:
    """ASGI middleware that puts the caller of a page into `request.state.caller`."""

    def __init__(self, app: ASGIApp, door: Door, refuse: Callable[..., Response]) -> None:
        self._app = app
        self._door = door
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] != "http" or not _is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            caller = await self._door.caller(request)
        except EndcapError as error:
            response = self._refuse(error, request)
            await response(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        scope["state"]["door"] = self._door
        await self._app(scope, receive, send)


def current_account(request: Request) -> Caller | None:
    """Who looks at the page; None when nobody is signed in.

    `kind` is `account`, or `local` on a loopback server that asks for no sign-in.
    """
    caller = getattr(request.state, "caller", None)
    return caller if caller is not None and caller.kind != "anonymous" else None


def require(scope: str) -> Callable[[Page], Page]:
    """A decorator: the page needs this scope. Raises ConfigurationError for an unknown one."""
    if scope not in SCOPES:
        raise ConfigurationError(f"`{scope}` is no scope; there are {', '.join(SCOPES)}")

    def decorate(page: Page) -> Page:
        @wraps(page)
        async def guarded(request: Request) -> Response:
            caller = current_account(request)
            if caller is None:
                return to_login(request)
            if scope not in caller.scopes:
                raise Forbidden(f"this page needs the scope `{scope}`")
            return await page(request)

        guarded.scope = scope  # type: ignore[attr-defined]
        return guarded

    return decorate


def to_login(request: Request) -> Response:
    """To the sign-in page and back; a script or form is refused instead. Raises Unauthenticated."""
    if request.method != "GET" or "hx-request" in request.headers:
        raise Unauthenticated("sign in first")
    query = f"?{request.url.query}" if request.url.query else ""
    back = quote(request.url.path + query, safe="")
    return RedirectResponse(f"/login?next={back}", status_code=303)


def csrf_token(request: Request) -> str:
    """The token for this session's forms (field `csrf`) and scripts (header `X-CSRF-Token`)."""
    caller = current_account(request)
    if caller is None or caller.session is None:
        return LOCAL_CSRF
    token: str = request.state.door.security.people.csrf(caller.session)
    return token


async def checked_form(request: Request) -> dict[str, str]:
    """The form's fields, after its token was found right; a repeated field keeps its last value.

    Raises Forbidden for a wrong or missing token, InvalidInput or BodyTooLarge for what is no form.
    """
    form = await read_form(request)
    caller = current_account(request)
    given = form.pop("csrf", "") or request.headers.get("x-csrf-token", "")
    if caller is not None and caller.session is not None:
        people = request.state.door.security.people
        if not people.csrf_is_right(caller.session, given):
            raise Forbidden("the form is of another session; load the page again")
    return form


async def read_form(request: Request) -> dict[str, str]:
    """A urlencoded form, read within limits. Raises InvalidInput or BodyTooLarge."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise BodyTooLarge("the form is too large")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(f"the form cannot be read: {error}") from error
    return dict(pairs)


def _is_page(path: str) -> bool:
    return path.startswith(PAGES) and any(
        path == start or path.startswith(start + "/") for start in PAGES
    )
