"""Webhooks: who is told of what. Endpoints are control data, their secrets sealed."""

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from endcap.access.sealing import Sealer
from endcap.access.webhooks import new_webhook_secret
from endcap.core.errors import EndcapError, FieldProblem, InvalidInput
from endcap.core.ports import Control
from endcap.core.times import DAY, Clock, format_time
from endcap.core.webhook import (
    EVERY,
    NOTICES,
    Endpoint,
    EndpointChange,
    EndpointRequest,
    EndpointView,
    SigningSecret,
)

from .outbox import Outbox
from .versions import Edit, Versions

LOG = logging.getLogger(__name__)
KIND = "webhook"
MOST = 50
OVERLAP = DAY
"""How long the secret before a renewal goes on signing."""


class Webhooks:
    """Makes and changes endpoints, and puts notices into the outbox.

    `check` raises for a URL that is never called; `new_id` gives a fresh random id.
    """

    def __init__(
        self,
        control: Control,
        sealer: Sealer,
        check: Callable[[str], None],
        new_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._control = control
        self._versions = Versions(control, KIND, Endpoint, clock)
        self._sealer = sealer
        self._check = check
        self._new_id = new_id
        self._clock = clock
        self.outbox = Outbox(control, clock)

    async def views(self, shop: str) -> list[EndpointView]:
        """Every webhook of the shop."""
        waiting = await self.outbox.counts(shop)
        return [_view(one, waiting=waiting.get(one.id, 0)) for one in await self.all(shop)]

    async def all(self, shop: str) -> list[Endpoint]:
        """Every endpoint of the shop."""
        return [self._versions.decode(r.body) for r in await self._versions.latest(shop)]

    async def get(self, shop: str, name: str) -> Endpoint:
        """One endpoint. Raises NotFound."""
        return self._versions.decode((await self._versions.get(shop, name)).body)

    async def view(self, shop: str, name: str) -> EndpointView:
        """One webhook. Raises NotFound."""
        waiting = await self.outbox.counts(shop)
        return _view(await self.get(shop, name), waiting=waiting.get(name, 0))

    async def make(self, shop: str, request: EndpointRequest, author: str) -> EndpointView:
        """A new webhook; its secret is in this answer only. Raises InvalidInput."""
        if len(await self.all(shop)) >= MOST:
            raise InvalidInput(f"a shop has at most {MOST} webhooks")
        self._checked(request.url, request.events, request.title)
        name, secret = "wh_" + self._new_id(), new_webhook_secret()
        endpoint = Endpoint(
            id=name,
            url=request.url,
            events=tuple(request.events),
            title=request.title,
            secrets=(SigningSecret(sealed=self._sealed(name, secret)),),
            created_at=self._clock(),
        )
        await self._versions.append(shop, name, endpoint, Edit(author=author))
        return _view(endpoint, secret)

    async def change(
        self, shop: str, name: str, request: EndpointChange, author: str
    ) -> EndpointView:
        """Change some of it; switching it on again clears why it was off. Raises InvalidInput."""
        before = await self.get(shop, name)
        given = {
            field: tuple(value) if isinstance(value, list) else value
            for field in request.__struct_fields__
            if (value := getattr(request, field)) is not None
        }
        reason = "" if given.get("disabled") is False else before.reason
        after = msgspec.structs.replace(before, **given, reason=reason)
        self._checked(after.url, list(after.events), after.title)
        await self._versions.append(shop, name, after, Edit(author=author))
        return await self.view(shop, name)

    async def renew(self, shop: str, name: str, author: str) -> EndpointView:
        """Another secret; for a day both sign. Raises NotFound."""
        before = await self.get(shop, name)
        secret = new_webhook_secret()
        older = msgspec.structs.replace(before.secrets[-1], expires_at=self._clock() + OVERLAP)
        fresh = SigningSecret(sealed=self._sealed(name, secret))
        after = msgspec.structs.replace(before, secrets=(older, fresh))
        await self._versions.append(shop, name, after, Edit(author, "secret renewed"))
        return _view(after, secret)

    async def switch_off(self, shop: str, name: str, reason: str) -> None:
        """Send it nothing more, and say why."""
        after = msgspec.structs.replace(await self.get(shop, name), disabled=True, reason=reason)
        await self._versions.append(shop, name, after, Edit("endcap", reason))

    async def remove(self, shop: str, name: str) -> None:
        """Take it out, with what waits for it and its secrets. Raises NotFound."""
        await self.get(shop, name)
        await asyncio.to_thread(self._control.purge, shop, KIND, name)
        await self.outbox.drop(shop, name)

    def secrets(self, endpoint: Endpoint) -> list[str]:
        """Those that sign now, newest first. Raises ValueError under another secret."""
        now = self._clock()
        good = [s for s in endpoint.secrets if s.expires_at is None or s.expires_at > now]
        opened = (self._sealer.open(base64.b64decode(s.sealed), endpoint.id) for s in good)
        return [secret.decode() for secret in opened][::-1]

    async def announce(
        self, shop: str, notice: str, data: Mapping[str, Any], about: str = ""
    ) -> None:
        """Tell whoever wants it; it is in the outbox when this returns.

        With `about` the notice goes to each endpoint once, however often this is called, and what
        goes wrong is raised. Else it is only logged, as what is told of has happened already.
        """
        try:
            for endpoint in await self.all(shop):
                if endpoint.wants(notice):
                    await self.tell(shop, endpoint, notice, data, about)
        except EndcapError as error:
            if about:
                raise
            LOG.warning("a notice could not be kept: %s", error.detail, extra={"notice": notice})

    async def tell(
        self, shop: str, endpoint: Endpoint, notice: str, data: Mapping[str, Any], about: str = ""
    ) -> str:
        """Put one notice for one endpoint into the outbox; return its id."""
        now = self._clock()
        body = {"type": notice, "timestamp": format_time(now), "shop": shop, "data": data}
        name = "msg_" + (about or self._new_id())
        text = msgspec.json.encode(body).decode()
        await self.outbox.add(shop, endpoint.id, (name, notice, text), bool(about))
        return name

    async def test(self, shop: str, name: str) -> str:
        """Send `webhook.test`. Raises NotFound, or InvalidInput while it is disabled."""
        endpoint = await self.get(shop, name)
        if endpoint.disabled:
            raise InvalidInput("the webhook is disabled; set `disabled` to false first")
        return await self.tell(shop, endpoint, "webhook.test", {"webhook": name})

    def _sealed(self, name: str, secret: str) -> str:
        return base64.b64encode(self._sealer.seal(secret.encode(), name)).decode()

    def _checked(self, url: str, events: list[str], title: str) -> None:
        problems: list[FieldProblem] = []
        try:
            self._check(url)
        except EndcapError as error:
            problems.append(FieldProblem("/url", "not_allowed", error.detail))
        for place, name in enumerate(events):
            if name != EVERY and name not in NOTICES:
                known = ", ".join([EVERY, *NOTICES])
                problems.append(
                    FieldProblem(f"/events/{place}", "not_allowed", f"there are {known}")
                )
        if not events or len(events) > MOST:
            problems.append(FieldProblem("/events", "missing", "name at least one notice, or *"))
        if len(title) > 200 or (title and not title.isprintable()):
            problems.append(FieldProblem("/title", "invalid", "up to 200 printable characters"))
        if problems:
            raise InvalidInput("the webhook cannot be kept", problems)


def _view(endpoint: Endpoint, secret: str | None = None, waiting: int = 0) -> EndpointView:
    return EndpointView(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.events,
        title=endpoint.title,
        disabled=endpoint.disabled,
        created_at=endpoint.created_at,
        waiting=waiting,
        reason=endpoint.reason or None,
        secret=secret,
    )
