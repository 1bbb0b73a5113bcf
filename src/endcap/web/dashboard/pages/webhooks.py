"""Webhooks: who is told of what, and what became of each delivery."""

import msgspec
from starlette.responses import Response

from endcap.core.webhook import EVERY, NOTICES, Delivery, EndpointRequest, EndpointView
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/webhooks"
SHOWN = 50


class Listed(msgspec.Struct, frozen=True):
    """Every webhook; `fresh` is a secret just made, shown this once."""

    webhooks: list[EndpointView]
    notices: dict[str, str]
    fresh: str


class Detail(msgspec.Struct, frozen=True):
    """One webhook with its deliveries, what waits first and then the newest."""

    heading: str
    webhook: EndpointView
    state: str
    deliveries: list[Delivery]
    next_cursor: str | None


async def webhooks(call: PageCall) -> Listed:
    """Every webhook."""
    views = await call.services.webhooks.views(call.shop)
    return Listed(views, NOTICES, call.shown_once)


async def webhook(call: PageCall) -> Detail:
    """One webhook."""
    hooks, name = call.services.webhooks, call.path["id"]
    view = await hooks.view(call.shop, name)
    asked, cursor = call.query.get("state", ""), call.query.get("cursor", "")
    state = asked if asked in ("waiting", "delivered", "dead") else ""
    cursor = cursor if cursor.startswith(f"{name}~") else ""
    page = await hooks.outbox.page(call.shop, name, state, cursor, SHOWN)  # type: ignore[arg-type]
    return Detail(view.title or view.url, view, state, page.data, page.next_cursor)


async def make(call: PageCall) -> Response | None:
    """Make a webhook; its secret is shown on this answer only."""
    chosen = [name for name in NOTICES if call.form.get(f"event_{name}")]
    request = EndpointRequest(
        url=call.form.get("url", "").strip(),
        events=chosen or [EVERY],
        title=call.form.get("title", "").strip(),
    )
    made = await call.services.webhooks.make(call.shop, request, call.author)
    call.shown_once = made.secret or ""
    return None


async def test(call: PageCall) -> Response:
    """Send a notice to see that it arrives."""
    await call.services.webhooks.test(call.shop, call.path["id"])
    return call.go(f"{HOME}/{call.path['id']}", said="A test is on its way.")


async def again(call: PageCall) -> Response:
    """Send a delivery again."""
    name = call.path["id"]
    await call.services.webhooks.get(call.shop, name)
    await call.services.webhooks.outbox.replay(call.shop, name, call.form.get("delivery", ""))
    return call.go(f"{HOME}/{name}", said="It is sent again.")


async def remove(call: PageCall) -> Response:
    """Take a webhook out."""
    await call.services.webhooks.remove(call.shop, call.path["id"])
    return call.go(HOME, said="The webhook is gone.")


PAGES = (
    Page(
        id="webhooks",
        path="/webhooks",
        title="Webhooks",
        template="webhooks.html",
        data=webhooks,
        scope="accounts:admin",
        group="Operate",
        place=40,
    ),
    Page(
        id="webhook",
        path="/webhooks/{id}",
        title="Webhook",
        template="webhook.html",
        data=webhook,
        scope="accounts:admin",
    ),
)
ACTIONS = (
    Action(
        id="webhook_make",
        path="/new-webhook",
        act=make,
        scope="accounts:admin",
        page="webhooks",
    ),
    *(
        Action(
            id=f"webhook_{name}",
            path=f"/webhooks/{{id}}/{name}",
            act=act,
            scope="accounts:admin",
            page="webhook",
        )
        for name, act in (("test", test), ("again", again), ("remove", remove))
    ),
)
