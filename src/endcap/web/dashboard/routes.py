"""The routes of the dashboard: every page as HTML and JSON, every action, the static files."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from endcap.core.errors import EndcapError
from endcap.core.times import Clock
from endcap.services.audit import AuditEntry
from endcap.web import problems
from endcap.web.auth.guard import Guard
from endcap.web.auth.pagecalls import require
from endcap.web.services import AppServices

from . import pages as folder
from .page import Action, Page, PageCall
from .render import HEADERS, Renderer

ROOT = "/dashboard"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
CACHED = {"cache-control": "public, max-age=3600"}
Endpoint = Callable[[Request], Awaitable[Response]]


async def _nothing(_: PageCall) -> dict[str, Any]:
    return {}


ERROR = Page(id="error", path="/problem", title="Problem", template="error.html", data=_nothing)


def found() -> tuple[tuple[Page, ...], tuple[Action, ...]]:
    """The pages and actions of every file in `pages`."""
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    modules = [importlib.import_module(f"{folder.__name__}.{name}") for name in names]
    made = [page for module in modules for page in getattr(module, "PAGES", ())]
    acts = [action for module in modules for action in getattr(module, "ACTIONS", ())]
    return tuple(made), tuple(acts)


def routes(services: AppServices, clock: Clock) -> list[Route]:
    """All routes below `/dashboard`."""
    pages, actions = found()
    renderer = Renderer(pages)
    made = [Route(f"{ROOT}/assets/{{name}}", _asset)]
    for page in sorted(pages, key=lambda one: "{" in one.path):
        show, data = _endpoints(page, services, renderer, clock)
        made.append(Route(ROOT + page.path + ".json", data))
        made.append(Route(ROOT + page.path, show))
    first = next(page for page in pages if page.id == "home")
    made.append(Route(ROOT, _endpoints(first, services, renderer, clock)[0]))
    by_id = {page.id: page for page in pages}
    for action in actions:
        endpoint = _acting(action, by_id.get(action.page), (services, renderer, clock))
        made.append(Route(ROOT + action.path, endpoint, methods=["POST"]))
    return made


def _endpoints(
    page: Page, services: AppServices, renderer: Renderer, clock: Clock
) -> tuple[Endpoint, Endpoint]:
    async def show(request: Request) -> Response:
        call = PageCall(request, services)
        try:
            data = await page.data(call)
            await _record_read(page, call)
            return renderer.html(page, call, data, clock())
        except EndcapError as error:
            return _failed(error, call, renderer, clock())

    async def data(request: Request) -> Response:
        call = PageCall(request, services)
        content = msgspec.json.encode(await page.data(call))
        await _record_read(page, call)
        return Response(content, media_type="application/json", headers=HEADERS)

    guarded = require(page.scope)
    return guarded(show), guarded(data)


def _acting(
    action: Action, page: Page | None, tools: tuple[AppServices, Renderer, Clock]
) -> Endpoint:
    services, renderer, clock = tools

    async def act(request: Request) -> Response:
        call = PageCall(request, services)
        try:
            await call.read_form()
            response = await action.act(call)
        except EndcapError as error:
            if page is None:
                return _failed(error, call, renderer, clock())
            return await _again(page, call, error, (renderer, clock()))
        await _record(action.id, call, 303)
        if response is None:
            assert page is not None
            return renderer.html(page, call, await page.data(call), clock())
        return response

    return require(action.scope)(act)


async def _again(
    page: Page, call: PageCall, error: EndcapError, tools: tuple[Renderer, int]
) -> Response:
    """The page of the form, with what was typed and what is wrong with it."""
    renderer, now = tools
    call.error = error
    try:
        response = renderer.html(page, call, await page.data(call), now)
    except EndcapError:
        return _failed(error, call, renderer, now)
    response.status_code = error.status
    return response


async def _record_read(page: Page, call: PageCall) -> None:
    """Looking at a person's data is written down, as in the API."""
    if call.about_visitor:
        await _record(page.id, call, 200)


async def _record(name: str, call: PageCall, status: int) -> None:
    security = call.services.security
    target = "/".join(call.path.values()) or call.form.get("name") or call.form.get("id", "")
    if call.about_visitor:
        target = Guard(call.request.state.door).subject(call.shop, call.about_visitor)
    entry = AuditEntry(
        at=security.clock(),
        actor=call.caller.audited_as,
        operation=f"dashboard_{name}",
        target=target[:200],
        status=status,
        request_id=call.request.state.request_id,
    )
    await security.audit.add(call.shop, entry)


def _failed(error: EndcapError, call: PageCall, renderer: Renderer, now: int) -> Response:
    problem = {
        "title": error.title,
        "detail": error.detail,
        "errors": [msgspec.to_builtins(one) for one in error.problems],
    }
    response = renderer.html(ERROR, call, problem, now)
    response.status_code = error.status
    return response


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    web = resources.files("endcap.web")
    for place in ("dashboard/static", "vendor/htmx"):
        known = {file.name: file for file in web.joinpath(place).iterdir() if file.is_file()}
        kind = TYPES.get(name[name.rfind(".") :])
        if name in known and kind is not None:
            return Response(known[name].read_bytes(), media_type=kind, headers=CACHED)
    raise problems.NoSuchRoute
