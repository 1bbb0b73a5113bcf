"""Erasing visitors: accepted, suppressed, purged, verified; safe to be killed at any moment.

A visitor is suppressed before anything else: from then on nothing is read or taken in of it. Then
every place that may hold its data removes it, in order, until none holds any. What is written
down: `suppressed` under the pseudonym (gone at the end), the request under its receipt's id, and a
line in the ledger. A run after a crash goes on from these.
"""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from endcap.core.erasure import Erasure, Mode, Suppressed
from endcap.core.errors import EndcapError, NotFound, StoreUnavailable
from endcap.core.event import Event
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control, EventLog
from endcap.core.times import Clock, format_time

from .announcing import Announce, to_nobody
from .gate import TOMBSTONE, Gate
from .ledger import Ledger, Line
from .places import named
from .served import Committer

REQUEST = "erasure"
PAGE = 2_000
ROUNDS = 3
PATIENCE = 60.0
"""Seconds between tries of an erasure that does not go on; from then on it is an alert."""
LOG = logging.getLogger(__name__)


class Place(Protocol):
    """Somewhere a visitor's data may lie."""

    @property
    def name(self) -> str:
        """What it is called in receipts."""

    async def remove(self, shop: str, visitors: frozenset[str]) -> int:
        """Remove what it holds of these visitors; how much that was. Doing it again is harmless."""

    async def left(self, shop: str, visitors: frozenset[str]) -> int:
        """How much it still holds of them."""


class ErasureService:
    """Takes requests, carries them out in the background, and proves that they were."""

    def __init__(  # noqa: PLR0913, PLR0917 - everything a visitor's data may touch
        self,
        control: Control,
        log: EventLog,
        gate: Gate,
        places: Sequence[Place],
        ledger: Ledger,
        sign_key: bytes,
        new_id: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._control = control
        self._log = log
        self._gate = gate
        self._places = places
        self._ledger = ledger
        self._key = sign_key
        self._new_id = new_id
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.anonymiser: Anonymiser | None = None
        self.announce: Announce = to_nobody
        # Called with every state reached; tests stop the process here.
        self.reached: Callable[[str], None] = lambda _: None

    async def load(self, shop: str) -> None:
        """Suppress who is being erased, go on with them, and replay the ledger.

        When this returns nothing of an erased visitor is left that a backup brought back.
        """
        await self._gate.load(shop)
        requests = {r.id: r for r in await self.all(shop)}
        ledger = [one for one in await asyncio.to_thread(self._ledger.lines) if one.shop == shop]
        for line in ledger:
            self._gate.erased(line.subject, line.at)
        for name, mark in await self._marks(shop):
            self._gate.suppressed.add((shop, name))
            request = requests.get(mark.erasure)
            if request is None or request.state == "accepted":
                await self._accept(shop, name, mark)
        missing = {line.subject: line for line in ledger if line.erasure not in requests}
        if missing:
            await self._replay(shop, missing)
        if await self._marks(shop):
            self._start(shop)

    async def request(self, shop: str, visitor: str, mode: Mode) -> Erasure:
        """Ask for an erasure; the visitor is suppressed when this returns.

        Asked again while it runs, the same request is returned. Raises StoreUnavailable.
        """
        for name, mark in await self._marks(shop):
            if name == visitor:
                return await self.get(shop, mark.erasure)
        mark = Suppressed(erasure=self._new_id(), mode=mode, requested_at=self._clock())
        for name in (visitor, *await self.merged(shop, visitor)):
            self._gate.suppressed.add((shop, name))
            try:
                await self._put(shop, TOMBSTONE, name, mark)
            except EndcapError:
                self._gate.suppressed.discard((shop, name))
                raise
        self.reached("marked")
        request = await self._accept(shop, visitor, mark)
        self._start(shop)
        return request

    async def get(self, shop: str, erasure: str) -> Erasure:
        """One request. Raises NotFound."""
        record = await asyncio.to_thread(self._control.get, shop, REQUEST, erasure, None)
        if record is None or record.body is None:
            raise NotFound(f"no erasure `{erasure[:200]}`")
        return msgspec.json.decode(record.body, type=Erasure)

    async def all(self, shop: str) -> list[Erasure]:
        """Every request of the shop."""
        records = await asyncio.to_thread(self._control.latest, shop, REQUEST)
        return [msgspec.json.decode(r.body or b"", type=Erasure) for r in records]

    async def finished(self, shop: str) -> None:
        """Wait until what was asked for is done."""
        while (task := self._tasks.get(shop)) is not None and not task.done():
            await asyncio.gather(task, return_exceptions=True)

    async def stop(self) -> None:
        """Leave off; the next start goes on."""
        for task in self._tasks.values():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def is_genuine(self, erasure: Erasure) -> bool:
        """Whether the receipt was signed here for exactly this."""
        return hmac.compare_digest(self._receipt(erasure), erasure.receipt or "")

    def _start(self, shop: str) -> None:
        task = self._tasks.get(shop)
        if task is None or task.done():
            self._tasks[shop] = asyncio.get_running_loop().create_task(self._run(shop))

    async def _run(self, shop: str) -> None:
        pause = 0.0
        while marks := await self._marks(shop):
            try:
                await self._carry_out(shop, marks)
            except EndcapError as error:
                LOG.warning("an erasure has to wait: %s", error.detail)
                pause = await self._wait(shop, marks, pause * 2 or 0.5, error.detail)
            except Exception:
                LOG.exception("an erasure failed and will be tried again")
                pause = await self._wait(shop, marks, pause * 2 or 5.0, "see the log")

    async def _wait(
        self, shop: str, marks: Sequence[tuple[str, Suppressed]], pause: float, problem: str
    ) -> float:
        """Wait before the next try; when that goes on for minutes somebody is told, once."""
        if pause >= PATIENCE:
            for mark in {mark.erasure: mark for _, mark in marks}.values():
                told = {"alert": "erasure_waits", "erasure": mark.erasure, "problem": problem}
                told["since"] = format_time(mark.requested_at)
                with contextlib.suppress(EndcapError):
                    about = f"waits-{mark.erasure}"
                    await self.announce(shop, "alert.raised", told, about=about)
        await asyncio.sleep(min(PATIENCE, pause))
        return min(PATIENCE, pause)

    async def _carry_out(self, shop: str, marks: Sequence[tuple[str, Suppressed]]) -> None:
        visitors = frozenset(name for name, _ in marks)
        await self._anonymise(shop, [name for name, mark in marks if mark.mode == "anonymise"])
        removed: dict[str, int] = {}
        for _ in range(ROUNDS):
            for place in self._places:
                found = await place.remove(shop, visitors)
                removed[place.name] = removed.get(place.name, 0) + found
                self.reached(f"removed from {place.name}")
            left = [p.name for p in self._places if await p.left(shop, visitors)]
            if not left:
                break
        else:
            raise StoreUnavailable(f"data of an erased visitor is still in {', '.join(left)}")
        await asyncio.to_thread(self._log.scrub)
        for name, mark in marks:
            await self._close(shop, name, mark, removed)
        # The last tombstones went after the log was scrubbed; their traces go too.
        await asyncio.to_thread(self._log.scrub)
        self.reached("verified")

    async def _close(
        self, shop: str, visitor: str, mark: Suppressed, removed: dict[str, int]
    ) -> None:
        request = await self.get(shop, mark.erasure)
        if request.state == "suppressed":
            request = await self._move(request, state="purged", removed=removed)
            self.reached("purged")
        if request.state == "purged":
            request = msgspec.structs.replace(
                request, state="verified", verified_at=self._clock(), removed=removed
            )
            request = await self._move(request, receipt=self._receipt(request))
        # Before the tombstone goes: whoever is killed in between tells of it again, once.
        told = msgspec.to_builtins(request)
        await self.announce(shop, "erasure.verified", told, about=request.id)
        await asyncio.to_thread(self._control.purge, shop, TOMBSTONE, visitor)
        self._gate.forget(shop, visitor)
        self._gate.suppressed.discard((shop, visitor))

    async def _accept(self, shop: str, visitor: str, mark: Suppressed) -> Erasure:
        """From a tombstone to a request that is written down in store and ledger.

        A merged visitor has a line of its own in the ledger, and the request of the one it is
        part of.
        """
        request = Erasure(
            id=mark.erasure,
            shop=shop,
            subject=self._gate.subject(shop, visitor),
            mode=mark.mode,
            state="accepted",
            requested_at=mark.requested_at,
        )
        for name in (visitor, *await self.merged(shop, visitor)):
            line = Line(shop, self._gate.subject(shop, name), mark.requested_at, request.id)
            await asyncio.to_thread(self._ledger.add, line)
            self._gate.erased(line.subject, line.at)
            self._gate.forget(shop, name)
        await self._put(shop, REQUEST, request.id, request)
        self.reached("accepted")
        request = await self._move(request, state="suppressed", suppressed_at=self._clock())
        self.reached("suppressed")
        return request

    async def merged(self, shop: str, visitor: str) -> list[str]:
        """Pseudonyms whose events were joined to the visitor's when it signed in."""
        merges = await asyncio.to_thread(self._log.by_visitor, shop, visitor, PAGE, ("merge",))
        return sorted({e.merged for e in merges if e.merged and e.merged != visitor})

    async def _anonymise(self, shop: str, visitors: Iterable[str]) -> None:
        for visitor in visitors:
            assert self.anonymiser is not None
            await self.anonymiser.copy(shop, visitor)
            self.reached("copied")

    async def _replay(self, shop: str, missing: dict[str, Line]) -> None:
        """Suppress again whoever the ledger lists and the store, put back, still knows."""
        seen: set[str] = set()
        async for visitors in named(self._log, self._control, shop):
            for visitor in visitors - seen:
                seen.add(visitor)
                line = missing.get(self._gate.subject(shop, visitor))
                if line is not None:
                    mark = Suppressed(erasure=line.erasure, mode="erase", requested_at=line.at)
                    self._gate.suppressed.add((shop, visitor))
                    await self._put(shop, TOMBSTONE, visitor, mark)
                    await self._put(shop, REQUEST, line.erasure, self._again(line))
        if marks := await self._marks(shop):
            await self._carry_out(shop, marks)

    def _again(self, line: Line) -> Erasure:
        return Erasure(
            id=line.erasure,
            shop=line.shop,
            subject=line.subject,
            mode="erase",
            state="suppressed",
            requested_at=line.at,
            suppressed_at=self._clock(),
        )

    async def _marks(self, shop: str) -> list[tuple[str, Suppressed]]:
        records = await asyncio.to_thread(self._control.latest, shop, TOMBSTONE)
        return [(r.name, msgspec.json.decode(r.body or b"", type=Suppressed)) for r in records]

    async def _move(self, request: Erasure, **changes: object) -> Erasure:
        if changes.get("state") == "purged":
            changes["purged_at"] = self._clock()
        moved = msgspec.structs.replace(request, **changes)
        await self._put(request.shop, REQUEST, request.id, moved)
        return moved

    async def _put(self, shop: str, kind: str, name: str, value: Erasure | Suppressed) -> None:
        record = ControlRecord(
            kind=kind,
            name=name,
            version=0,
            body=msgspec.json.encode(value),
            author="endcap",
            note="",
            created_at=self._clock(),
        )
        await asyncio.to_thread(self._control.put, shop, record, None)

    def _receipt(self, erasure: Erasure) -> str:
        proven = msgspec.structs.replace(erasure, receipt=None)
        return hmac.new(self._key, msgspec.json.encode(proven), "sha256").hexdigest()


class Anonymiser:
    """Copies a visitor's events so that they count on without anybody."""

    def __init__(self, log: EventLog, committer: Committer, key: bytes) -> None:
        self._log = log
        self._committer = committer
        self._key = key

    async def copy(self, shop: str, visitor: str) -> None:
        """Append the copies; done again, they are the same and stay once.

        Kept are type, products, prices, day and place in the shop. Gone are visitor, session, ids
        of event and order, search text, token and time of day.
        """
        before: int | None = None
        while page := await asyncio.to_thread(
            self._log.by_visitor, shop, visitor, PAGE, (), before
        ):
            before = page[0].seq
            kept = [
                e for e in page if e.type not in ("served", "exposure", "shadow", "merge", "search")
            ]
            await self._committer.submit([self._anonymous(event) for event in kept], ())

    def _anonymous(self, event: Event) -> Event:
        name = f"{event.shop}\0{event.source}\0{event.event_id}".encode()
        day = event.occurred_at - event.occurred_at % 86_400_000
        return Event(
            shop=event.shop,
            source="anonymised",
            event_id=hmac.digest(self._key, name, "sha256").hex()[:32],
            type=event.type,
            visitor="",
            occurred_at=day,
            received_at=event.received_at - event.received_at % 86_400_000,
            lines=event.lines,
            currency=event.currency,
            rating=event.rating,
            zone=event.zone,
            placement=event.placement,
        )
