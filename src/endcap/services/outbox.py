"""The outbox of webhooks: what waits, with every try, and the log of what became of the rest.

Both are control data, so they are as durable as the store and the same on every engine. What waits
is kept under its id until its fate is in the log; killed in between it is sent once more, with the
same id, by which receivers tell a repeat.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec

from endcap.core.errors import NotFound, VersionConflict
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import DAY, HOUR, MINUTE, SECOND, Clock
from endcap.core.webhook import Attempt, Delivery, DeliveryPage, Outcome

WAITING = "webhook_waiting"
LOGGED = "webhook_log"
PAUSES = (0, 5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
"""Before each try; after the last one a delivery is dead."""
KEPT = 30 * DAY
MOST_WAITING = 1_000
SHOWN_ATTEMPTS = 20
PAGE = 500
_LAST = 10**13


class Outbox:
    """Deliveries of all shops. Times are UTC milliseconds."""

    def __init__(self, control: Control, clock: Clock, pauses: Sequence[int] = PAUSES) -> None:
        self._control = control
        self._clock = clock
        self.pauses = pauses
        self.added = asyncio.Event()
        self._newest = 0

    async def add(
        self, shop: str, endpoint: str, message: tuple[str, str, str], once: bool = False
    ) -> None:
        """Keep a message (id, notice, body) for an endpoint; `once`: unless it has been there.

        When too many wait for the endpoint it is dead at once, and can be replayed.
        """
        name, notice, body = message
        if once and await self._logged(shop, endpoint, name) is not None:
            return
        delivery = Delivery(
            id=name, endpoint=endpoint, event=notice, body=body, created_at=self._moment()
        )
        if (await self.counts(shop)).get(endpoint, 0) >= MOST_WAITING:
            full = Attempt(self._clock(), 0, f"more than {MOST_WAITING:,} are waiting")
            await self._log(shop, msgspec.structs.replace(delivery, state="dead", attempts=(full,)))
            return
        try:
            await self._put(shop, WAITING, _key(delivery), delivery, 0)
        except VersionConflict:
            if not once:
                raise
        self.added.set()

    async def counts(self, shop: str) -> dict[str, int]:
        """How many wait, by endpoint."""
        found: dict[str, int] = {}
        for delivery in await self._waiting(shop):
            found[delivery.endpoint] = found.get(delivery.endpoint, 0) + 1
        return found

    async def due(self, shop: str) -> dict[str, list[Delivery]]:
        """What should be tried now, by endpoint, oldest first."""
        now = self._clock()
        found: dict[str, list[Delivery]] = {}
        for delivery in await self._waiting(shop):
            if delivery.next_at <= now:
                found.setdefault(delivery.endpoint, []).append(delivery)
        return found

    async def tried(self, shop: str, delivery: Delivery, outcome: Outcome) -> Delivery:
        """Note a try: delivered by a 2xx, else to be tried again, or dead after the last."""
        now = self._clock()
        attempts = (*delivery.attempts, Attempt(now, outcome.status, outcome.problem))
        tries = delivery.tries + 1
        after = msgspec.structs.replace(delivery, attempts=attempts[-SHOWN_ATTEMPTS:], tries=tries)
        if 200 <= outcome.status < 300:
            after = msgspec.structs.replace(after, state="delivered")
        elif tries >= len(self.pauses):
            after = msgspec.structs.replace(after, state="dead")
        else:
            after = msgspec.structs.replace(after, next_at=now + self.pauses[tries])
            await self._put(shop, WAITING, _key(after), after, None)
            return after
        await self._log(shop, after)
        await asyncio.to_thread(self._control.purge, shop, WAITING, _key(after))
        return after

    async def page(
        self,
        shop: str,
        endpoint: str,
        state: Literal["", "waiting", "delivered", "dead"],
        cursor: str,
        limit: int,
    ) -> DeliveryPage:
        """Deliveries of an endpoint, of one state if it is given."""
        found: list[Delivery] = []
        if not cursor:
            waiting = [d for d in await self._waiting(shop) if d.endpoint == endpoint]
            found = waiting[::-1] if state in ("", "waiting") else []
        cursor = cursor or f"{endpoint}~"
        while state != "waiting":
            records = await asyncio.to_thread(self._control.page, shop, LOGGED, cursor, PAGE)
            for record in records:
                if not record.name.startswith(f"{endpoint}~"):
                    return DeliveryPage(found, None, False)
                delivery = _decoded(record)
                if state in ("", delivery.state):
                    if len(found) >= limit:
                        return DeliveryPage(found, cursor, True)
                    found.append(delivery)
                cursor = record.name
            if len(records) < PAGE:
                break
        return DeliveryPage(found, None, False)

    async def replay(self, shop: str, endpoint: str, name: str) -> Delivery:
        """Send again what was delivered or given up, under the same id. Raises NotFound."""
        record = await self._logged(shop, endpoint, name)
        if record is None:
            raise NotFound(f"no delivered or dead delivery `{name[:200]}`")
        delivery = msgspec.structs.replace(_decoded(record), state="waiting", tries=0, next_at=0)
        await self._put(shop, WAITING, _key(delivery), delivery, None)
        await asyncio.to_thread(self._control.purge, shop, LOGGED, record.name)
        self.added.set()
        return delivery

    async def drop(self, shop: str, endpoint: str) -> None:
        """Purge everything of an endpoint."""
        await self._purge(shop, endpoint, 2**62)

    async def sweep(self, shop: str) -> int:
        """Purge what has been in the log for too long; return how much."""
        return await self._purge(shop, "", self._clock() - KEPT)

    def _moment(self) -> int:
        """Now, and never twice the same, so that what came first is sent first."""
        self._newest = max(self._clock(), self._newest + 1)
        return self._newest

    async def _purge(self, shop: str, endpoint: str, before: int) -> int:
        gone = 0
        kinds = (WAITING, LOGGED) if endpoint else (LOGGED,)
        for kind in kinds:
            for record in await asyncio.to_thread(self._control.latest, shop, kind):
                delivery = _decoded(record)
                if delivery.created_at < before and endpoint in ("", delivery.endpoint):
                    gone += await asyncio.to_thread(self._control.purge, shop, kind, record.name)
        return gone

    async def _waiting(self, shop: str) -> list[Delivery]:
        records = await asyncio.to_thread(self._control.latest, shop, WAITING)
        return sorted((_decoded(r) for r in records), key=lambda d: (d.created_at, d.id))

    async def _logged(self, shop: str, endpoint: str, name: str) -> ControlRecord | None:
        cursor = f"{endpoint}~"
        while True:
            page = await asyncio.to_thread(self._control.page, shop, LOGGED, cursor, PAGE)
            for record in page:
                if record.name.startswith(f"{endpoint}~") and record.name.endswith(f"~{name}"):
                    return record
            if len(page) < PAGE or not page[-1].name.startswith(f"{endpoint}~"):
                return None
            cursor = page[-1].name

    async def _log(self, shop: str, delivery: Delivery) -> None:
        # The newest first: pages go by name.
        name = f"{delivery.endpoint}~{_LAST - delivery.created_at:013d}~{delivery.id}"
        await self._put(shop, LOGGED, name, delivery, None)

    async def _put(
        self, shop: str, kind: str, name: str, delivery: Delivery, expected: int | None
    ) -> None:
        record = ControlRecord(
            kind=kind,
            name=name,
            version=0,
            body=msgspec.json.encode(delivery),
            author="endcap",
            note="",
            created_at=self._clock(),
        )
        await asyncio.to_thread(self._control.put, shop, record, expected)


def _key(delivery: Delivery) -> str:
    return f"{delivery.endpoint}~{delivery.id}"


def _decoded(record: ControlRecord) -> Delivery:
    return msgspec.json.decode(record.body or b"", type=Delivery)
