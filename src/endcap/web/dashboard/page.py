"""The form of a page: its address, the scope it needs, its data, and the template that shows it.

The data of a page is a struct or a dict that encodes to JSON. The same data is shown by the
template as `d` and answered as JSON at the page's address with `.json` behind it.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from endcap.core.access import Caller
from endcap.core.errors import EndcapError
from endcap.web.auth.pagecalls import checked_form, csrf_token, current_account
from endcap.web.services import AppServices

GROUPS = ("Merchandise", "Measure", "Understand", "Operate")


class PageCall:
    """What a page works with: the services, the address's parameters, and the form's fields.

    A page or action that sets `about_visitor` is written to the audit log as an act on that person.
    """

    def __init__(self, request: Request, services: AppServices) -> None:
        self.request = request
        self.services = services
        self.query: dict[str, str] = dict(request.query_params)
        self.form: dict[str, str] = {}
        self.error: EndcapError | None = None
        self.about_visitor = ""
        self.shown_once = ""

    @property
    def shop(self) -> str:
        """The shop the page is of."""
        return self.caller.shop

    @property
    def caller(self) -> Caller:
        """Who looks at the page."""
        found = current_account(self.request)
        assert found is not None
        return found

    @property
    def author(self) -> str:
        """How versions name the caller."""
        return self.caller.audited_as

    @property
    def csrf(self) -> str:
        """The token that every form of the page carries as `csrf`."""
        return csrf_token(self.request)

    @property
    def path(self) -> dict[str, str]:
        """What the address's placeholders stand for."""
        return dict(self.request.path_params)

    async def read_form(self) -> None:
        """Read the fields of a posted form, whose token must be right. Raises Forbidden."""
        self.form = await checked_form(self.request)

    def go(self, path: str, **query: str) -> Response:
        """Go to a page of the dashboard after an action."""
        address = f"{path}?{urlencode(query)}" if query else path
        if "hx-request" in self.request.headers:
            return Response(status_code=204, headers={"hx-redirect": address})
        return RedirectResponse(address, 303)


Data = Callable[[PageCall], Awaitable[Any]]
Act = Callable[[PageCall], Awaitable[Response | None]]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `group` and `place` say where the menu has it; without a group it is not there."""

    id: str
    path: str
    title: str
    template: str
    data: Data
    scope: str = "reports:read"
    group: str = ""
    place: int = 100
    refresh: int = 0


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a form posts to; it ends with `call.go(…)`.

    When it fails, `page` (an id) is shown again with `call.form` and `call.error`; so it is,
    without an error, when the action answers None to show what must stand in no address.
    """

    id: str
    path: str
    act: Act
    scope: str
    page: str = ""
