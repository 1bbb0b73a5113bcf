"""What lives for a while and then goes for good: sessions, codes, grants, revocations, used ids.

Kept as control data of the installation and purged with its history when its time is over, so it
works the same on every store, and a compare-and-swap makes "use it once" hold across replicas.
"""

import asyncio
from typing import Generic, TypeVar

import msgspec

from endcap.core.access import SYSTEM
from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import Clock

T = TypeVar("T", bound=msgspec.Struct)
PAGE = 500


class _Kept(msgspec.Struct):
    until: int
    value: msgspec.Raw


class Held(msgspec.Struct, Generic[T], frozen=True):
    """A value found, with the version a change must still find and the end of its time."""

    value: T
    version: int
    until: int


class ShortLived(Generic[T]):
    """Values of one kind by name; times are UTC milliseconds."""

    def __init__(self, control: Control, kind: str, value: type[T], clock: Clock) -> None:
        self._control = control
        self._kind = kind
        self._value = value
        self._clock = clock

    async def add(self, name: str, value: T, until: int) -> bool:
        """Keep a value until then; False when the name has been used already."""
        try:
            await self._put(name, value, until, 0)
        except VersionConflict:
            return False
        return True

    async def replace(self, name: str, value: T, until: int, version: int) -> bool:
        """Change a value; False when somebody changed it since `version` was read."""
        try:
            await self._put(name, value, until, version)
        except VersionConflict:
            return False
        return True

    async def get(self, name: str) -> Held[T] | None:
        """The value, or None when there is none or its time is over."""
        record = await asyncio.to_thread(self._control.get, SYSTEM, self._kind, name, None)
        held = None if record is None else self._held(record)
        return held if held is not None and held.until > self._clock() else None

    async def drop(self, name: str) -> bool:
        """Remove it for good; whether it was there."""
        return await asyncio.to_thread(self._control.purge, SYSTEM, self._kind, name) > 0

    async def all(self) -> dict[str, Held[T]]:
        """Everything whose time is not over, by name."""
        now = self._clock()
        records = await asyncio.to_thread(self._control.latest, SYSTEM, self._kind)
        found = {record.name: self._held(record) for record in records}
        return {n: held for n, held in found.items() if held is not None and held.until > now}

    async def sweep(self) -> int:
        """Purge what is over; return how much."""
        gone, after, now = 0, "", self._clock()
        while True:
            page = await asyncio.to_thread(self._control.page, SYSTEM, self._kind, after, PAGE)
            for record in page:
                held = self._held(record)
                if held is None or held.until <= now:
                    await self.drop(record.name)
                    gone += 1
            if len(page) < PAGE:
                return gone
            after = page[-1].name

    async def _put(self, name: str, value: T, until: int, expected: int) -> None:
        body = msgspec.json.encode(_Kept(until, msgspec.Raw(msgspec.json.encode(value))))
        record = ControlRecord(
            kind=self._kind,
            name=name,
            version=0,
            body=body,
            author="endcap",
            note="",
            created_at=self._clock(),
        )
        await asyncio.to_thread(self._control.put, SYSTEM, record, expected)

    def _held(self, record: ControlRecord) -> Held[T] | None:
        if record.body is None:
            return None
        kept = msgspec.json.decode(record.body, type=_Kept)
        value = msgspec.json.decode(kept.value, type=self._value)
        return Held(value, record.version, kept.until)
