"""CORS: pages of a publishable key's origins may send events and ask for recommendations."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .addresses import is_local_origin
from .door import Door

ALLOWED_HEADERS = "authorization, content-type, x-visitor-token, x-request-id"
EXPOSED_HEADERS = "x-request-id, retry-after, sec-gpc"
MAX_AGE = "7200"


class Origins:
    """ASGI middleware. No answer to a foreign origin ever allows cookies."""

    def __init__(self, app: ASGIApp, door: Door, paths: Sequence[str]) -> None:
        self._app = app
        self._door = door
        self._paths = tuple(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        origin = _origin(scope) if scope["type"] == "http" else ""
        if not origin or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
            return
        allowed = self.allows(origin)
        if scope["method"] == "OPTIONS":
            request = Request(scope)
            if "access-control-request-method" in request.headers:
                response = self._preflight(origin) if allowed else Response(status_code=403)
                await response(scope, receive, send)
                return
        if not allowed:
            await self._app(scope, receive, send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [
                    (b"access-control-allow-origin", origin.encode("latin-1")),
                    (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
                    (b"vary", b"origin"),
                ]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, send_with_origin)

    def allows(self, origin: str) -> bool:
        """Whether a key of some shop works from here; with an open door, pages of this machine."""
        if origin in self._door.security.directory.origins():
            return True
        return self._door.rules.open and is_local_origin(origin)

    def _preflight(self, origin: str) -> Response:
        headers = {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": ALLOWED_HEADERS,
            "access-control-max-age": MAX_AGE,
            "vary": "origin",
        }
        return Response(status_code=204, headers=headers)


def _origin(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"origin":
            text: str = value.decode("latin-1")
            return text if len(text) <= 300 and text.isprintable() else ""
    return ""
