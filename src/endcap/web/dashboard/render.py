"""From a page's data to HTML: the templates, their filters, and the headers of every page."""

import datetime
import math
from functools import cache
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from endcap.core.times import format_time

from . import charts
from .page import GROUPS, Page, PageCall

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {"content-security-policy": CSP, "cache-control": "private, no-store"}


class Renderer:
    """Renders pages; `pages` make the menu."""

    def __init__(self, pages: tuple[Page, ...]) -> None:
        self._menu = {
            group: sorted((p for p in pages if p.group == group), key=lambda page: page.place)
            for group in GROUPS
        }
        self._templates = _environment()

    def html(self, page: Page, call: PageCall, data: Any, now: int, **more: Any) -> Response:
        """The page as HTML."""
        content = self._templates.get_template(page.template).render(
            d=msgspec.json.decode(msgspec.json.encode(data)),
            page=page,
            menu=self._menu_of(call),
            now=format_time(now),
            query=call.query,
            address=str(call.request.url.path),
            parameters=str(call.request.url.query),
            csrf=call.csrf,
            caller=msgspec.to_builtins(call.caller),
            said=call.query.get("said", ""),
            form=call.form,
            failed=_failed(call),
            **more,
        )
        return Response(content, media_type="text/html", headers=HEADERS)

    def _menu_of(self, call: PageCall) -> dict[str, list[Page]]:
        """The pages that the caller may open."""
        scopes = call.caller.scopes
        return {
            group: [page for page in pages if page.scope in scopes]
            for group, pages in self._menu.items()
        }

    def part(self, template: str, **values: Any) -> Response:
        """A piece of a page, for a swap in place."""
        content = self._templates.get_template(template).render(**values)
        return Response(content, media_type="text/html", headers=HEADERS)


def _failed(call: PageCall) -> dict[str, Any]:
    """What an action could not do: the sentence, and the problems by their pointers."""
    if call.error is None:
        return {}
    problems = {one.pointer: one.message for one in call.error.problems}
    return {"detail": call.error.detail, "problems": problems}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("endcap.web.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "share": _share, "moment": _moment, "ago": _ago}
    made.filters |= {"money": _money, "millis": _millis}
    made.globals |= {"charts": charts, "nan": math.nan}
    return made


def _number(value: float | None, places: int = 0) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def _money(value: float | str, currency: str) -> str:
    return f"{float(value):,.2f} {currency}"


def _millis(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2g} ms" if value < 10 else f"{value:,.0f} ms"


def _share(value: float | None, places: int = 1) -> str:
    if value is None:
        return "–"
    least = 10.0 ** -(places + 2)
    # What is there but small is not nothing.
    return f"< {least:.{places}%}" if 0 < value < least / 2 else f"{value:.{places}%}"


def _moment(millis: int | None) -> str:
    """A time as people read it, in UTC."""
    if not millis:
        return "–"
    moment = datetime.datetime.fromtimestamp(millis / 1000, datetime.UTC)
    return f"{moment:%d %b %Y %H:%M} UTC"


def _ago(millis: float | None) -> str:
    """How long ago, from milliseconds that have passed."""
    if millis is None:
        return "–"
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if millis >= size:
            count = int(millis // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{int(max(0, millis) // 1000)} seconds ago"
