"""The ASGI application: routes of the operations, errors as problems, a request id on all."""

import importlib
import logging
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endcap.core.errors import EndcapError, MalformedBody
from endcap.core.failures import described

from . import api, pages, problems, storefront
from .auth import PageCallers
from .auth.door import Door
from .auth.guard import Guard
from .auth.origins import Origins
from .auth.routes import people_pages
from .call import Call
from .dashboard import routes as dashboard
from .demo_shop import routes as demo_shop
from .openapi import document
from .operations import Operation
from .postman import collection
from .request_ids import request_id_of
from .services import AppServices
from .watch import Watched

LOG = logging.getLogger(__name__)
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
BUSY = ("/v1/recommendations/{placement}", "/v1/events")
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16_384
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    services: AppServices, operations: Sequence[Operation] | None = None, with_pages: bool = True
) -> ASGIApp:
    """The application; `with_pages` adds the dashboard, signing in and the API's documentation.

    Raises ConfigurationError when an operation is not declared rightly.
    """
    if operations is None:
        operations = all_operations()
    for operation in operations:
        operation.check()
    door = Door(services.security, services.door)
    guard = Guard(door)
    groups = groupby(_ordered(operations), key=lambda operation: operation.path)
    routes = [_route(path, list(group), services, guard) for path, group in groups]
    openapi = msgspec.json.encode(document(operations))
    postman = msgspec.json.encode(collection(operations))
    if with_pages:
        routes += people_pages(door)
        routes += pages.routes(openapi, postman)
        routes += storefront.routes()
        routes += dashboard.routes(services, services.clock)
        if services.shopfront.is_demo(services.door.shop):
            routes += demo_shop.routes(services)
    app = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _http_error,
            EndcapError: _known_error,
            Exception: _unknown_error,
        },
    )
    app.router.redirect_slashes = False
    browser = sorted({op.path.partition("{")[0] for op in operations if op.browser})
    known = RequestIds(Origins(PageCallers(app, door, _answer), door, browser))
    return Watched(known, services.metrics, services.log_requests, services.tracer)


def all_operations() -> list[Operation]:
    """Every operation of the API: those of each file in `api`."""
    names = [module.name for module in pkgutil.iter_modules(api.__path__)]
    resources = [importlib.import_module(f"{api.__name__}.{name}") for name in names]
    return [operation for resource in resources for operation in resource.OPERATIONS]


class RequestIds:
    """Gives each request an id, takes over a decent one that came with it, and returns it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id
        app = self._app if _fits(scope) else _too_large

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"x-request-id", request_id.encode()), *SECURITY]
                message = {**message, "headers": headers}
            await send(message)

        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send_with_id(message)

        try:
            await app(scope, receive, send_noted)
        except Exception:
            # Answered and logged already; raised on, its text would get into the server's log.
            if not started:
                raise


def _fits(scope: Scope) -> bool:
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    return len(headers) <= MAX_HEADERS and size <= MAX_HEADER_BYTES


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    error = problems.HeadersTooLarge(
        f"at most {MAX_HEADERS} headers with together {MAX_HEADER_BYTES:,} bytes are taken"
    )
    await _answer(error, Request(scope))(scope, receive, send)


def _ordered(operations: Sequence[Operation]) -> list[Operation]:
    """Longer fixed parts first, so that `/v1/x/{name}/versions` is tried before `/v1/x/{name}`.

    Routes are tried one after the other, so those that shops call all the time stand in front.
    """

    def key(operation: Operation) -> tuple[bool, bool, int, str]:
        path = operation.path
        return path not in BUSY, ":path}" in path, -path.count("/"), path

    return sorted(operations, key=key)


def _route(
    path: str, operations: Sequence[Operation], services: AppServices, guard: Guard
) -> Route:
    """One address with all its methods, so that `Allow` can name them all."""
    endpoints = {
        operation.method: _endpoint(operation, services, guard) for operation in operations
    }
    if "GET" in endpoints:
        endpoints["HEAD"] = endpoints["GET"]
    methods = sorted({*endpoints, "OPTIONS"})

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(methods)})
        return await endpoints[request.method](request)

    return Route(path, endpoint, methods=methods)


def _endpoint(operation: Operation, services: AppServices, guard: Guard) -> Endpoint:
    allowed = operation.query_names

    async def endpoint(request: Request) -> Response:
        request.state.operation = operation.id
        try:
            caller = await guard.admit(operation, request)
            call = Call(request, services, allowed, caller)
            if operation.scope != "open":
                call.query()  # so that a misspelt parameter is refused by every operation
            return await guard.recorded(operation, call, await operation.handler(call))
        except EndcapError as error:
            return _answer(error, request)
        except ClientDisconnect:
            return _answer(MalformedBody("the body ended too early"), request)

    return endpoint


def _answer(error: EndcapError, request: Request) -> Response:
    return problems.response_of(error, request.scope["path"], request.state.request_id)


async def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, EndcapError)
    return _answer(error, request)


async def _unknown_error(request: Request, error: Exception) -> Response:
    state = request.scope["state"]
    extra = {name: state.get(name, "") for name in ("request_id", "trace_id", "operation")}
    LOG.error("request failed: %s", described(error), extra={**extra, "failure": error})
    return _answer(EndcapError("the server failed; its log has the cause"), request)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = _answer(problems.MethodNotAllowed(), request)
        allow = {name.strip() for name in (error.headers or {}).get("Allow", "").split(",")}
        response.headers["allow"] = ", ".join(sorted(allow))
        return response
    if error.status_code == 404:
        return _answer(problems.NoSuchRoute(), request)
    return _answer(MalformedBody(str(error.detail)), request)
