"""Control data of one kind: append-only versions, read and decoded."""

import asyncio
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from endcap.core.errors import InvalidInput, NotFound
from endcap.core.ids import id_problem
from endcap.core.placement import ControlRecord
from endcap.core.pointers import refusal
from endcap.core.ports import Control
from endcap.core.times import Clock

T = TypeVar("T")
MayPublish = Callable[[str, str, str], None]
"""Whether in a shop what an author wrote may be made live by an actor; raises when not."""


def anybody(shop: str, author: str, actor: str) -> None:
    """Everybody with the scope may."""


class Edit(NamedTuple):
    """Who changes something, and why; `expected` is the version they know, None for any."""

    author: str = "api"
    note: str = ""
    expected: int | None = None


class Versions(Generic[T]):
    """Versions of one kind of control data."""

    def __init__(self, control: Control, kind: str, shape: type[T], clock: Clock) -> None:
        self._control = control
        self.kind = kind
        self._shape = shape
        self._clock = clock

    def decode(self, body: bytes | None) -> T:
        """A body as a value. Raises MalformedBody or InvalidInput."""
        try:
            return msgspec.json.decode(body or b"", type=self._shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise refusal(error, body or b"", f"the {self.kind} cannot be read") from error

    async def latest(self, shop: str) -> list[ControlRecord]:
        """The newest version of every name that is not deleted."""
        return await asyncio.to_thread(self._control.latest, shop, self.kind)

    async def get(self, shop: str, name: str, version: int | None = None) -> ControlRecord:
        """One version, or the newest that is not deleted. Raises NotFound."""
        record = await asyncio.to_thread(self._control.get, shop, self.kind, name, version)
        if record is None or (record.body is None and version is None):
            which = f" version {version}" if version is not None else ""
            raise NotFound(f"there is no {self.kind} `{name[:200]}`{which}")
        return record

    async def history(self, shop: str, name: str) -> list[ControlRecord]:
        """Every version, newest first. Raises NotFound."""
        records = await asyncio.to_thread(self._control.history, shop, self.kind, name)
        if not records:
            raise NotFound(f"there is no {self.kind} `{name[:200]}`")
        return records

    async def append(self, shop: str, name: str, value: T | None, edit: Edit) -> ControlRecord:
        """Store the next version; None deletes. Raises InvalidInput or VersionConflict."""
        if problem := id_problem(name, "/name"):
            raise InvalidInput("the name cannot be used", [problem])
        record = ControlRecord(
            kind=self.kind,
            name=name,
            version=0,
            body=None if value is None else msgspec.json.encode(value),
            author=edit.author,
            note=edit.note[:2_000],
            created_at=self._clock(),
        )
        return await asyncio.to_thread(self._control.put, shop, record, edit.expected)
