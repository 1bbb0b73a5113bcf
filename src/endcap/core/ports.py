"""The ports: what the services ask of a store. One conformance suite each; memory is the reference.

All but `VisitorStore` are plain blocking calls; the services run them on threads. A store that
cannot do what it was asked raises `StoreUnavailable`; it never answers as if it had.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .event import DeadLetter, Event, VisitorState
from .placement import ControlRecord
from .product import ProductDocument, ProductWrite

Retained = Literal["events", "served", "letters"]
"""What has a retention of its own: shop events, our own events, refused events."""


class Catalogue(Protocol):
    """Products as versioned documents, and the stream of their changes."""

    def write(
        self, shop: str, writes: Sequence[ProductWrite], at: int
    ) -> list[ProductDocument | None]:
        """Apply all writes in one durable transaction, in order, and return the documents.

        None stands for a delete of what does not exist. Raises VersionConflict (and applies
        nothing) when an `expected` version does not match.
        """

    def get(self, shop: str, product: str) -> ProductDocument | None:
        """The live document, or None when it is absent or deleted."""

    def page(self, shop: str, after: str, limit: int) -> list[ProductDocument]:
        """Live documents with id > `after` in the byte order of UTF-8, at most `limit`."""

    def changes(self, shop: str, since: int, limit: int) -> list[ProductDocument]:
        """Latest documents (deleted ones too) with `change` > `since`, in order of change."""


class EventLog(Protocol):
    """The durable log; an event is in it exactly once per (shop, source, event_id)."""

    def append(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """Append in one durable transaction; per event whether it is new (False: a duplicate).

        A repeat inside `events` counts as a duplicate too. When this returns, the data has been
        synced to disk.
        """

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """Events with a place > `seq`, in order, at most `limit`."""

    def by_visitor(
        self,
        shop: str,
        visitor: str,
        limit: int,
        types: Collection[str] = (),
        before: int | None = None,
    ) -> list[Event]:
        """The visitor's latest events by place in the log, oldest first; `types` empty: of all.

        With `before`, the latest of those with a place below it.
        """

    def find(self, shop: str, source: str, event_id: str) -> Event | None:
        """The one event of this id."""

    def dead_letters(self, shop: str, seq: int, limit: int) -> list[DeadLetter]:
        """Refused events with a place > `seq`, in order."""

    def last(self, shop: str) -> int:
        """The place of the shop's newest event; 0 when there is none."""

    def erase(self, shop: str, visitor: str) -> int:
        """Remove the visitor's events and refused events; return how many there were.

        Places are not given again. `scrub` removes what is left of them in files.
        """

    def scrub(self) -> None:
        """See that what was deleted cannot be read from the files, as far as the engine lets us.

        After it nothing of that is in the embedded store's files; it rewrites them, and appends
        wait for it.
        """

    def expire(self, shop: str, kind: Retained, before: int) -> int:
        """Remove what was received before then (UTC milliseconds); return how many."""


class VisitorStore(Protocol):
    """What each visitor did lately; derived from the log and bounded."""

    async def recent(self, shop: str, visitor: str) -> VisitorState:
        """The visitor's state; an unknown visitor has an empty one."""

    async def fold(self, events: Sequence[Event]) -> None:
        """Take in events that the log has just accepted.

        A `merge` drops the visitor's state: the next read takes in what the other did.
        """

    async def forget(self, shop: str, visitor: str) -> None:
        """Drop the visitor's state."""


@runtime_checkable
class ReadsAhead(Protocol):
    """A visitor store that can read many visitors together."""

    async def read_ahead(self, shop: str, visitors: Sequence[str]) -> None:
        """Have the visitors' states at hand when `recent` asks for them soon."""


class Control(Protocol):
    """Placements, rules, accounts and other control data: versions per (kind, name), only added.

    What must not stay (ended sessions, consent of an erased visitor) is purged with its history.
    """

    def put(self, shop: str, record: ControlRecord, expected: int | None) -> ControlRecord:
        """Append the next version (`record.version` is ignored) and return it as stored.

        `expected` is the latest version the caller knows (0: none). Raises VersionConflict.
        """

    def get(self, shop: str, kind: str, name: str, version: int | None) -> ControlRecord | None:
        """One version, or with None the latest; None when there is no such version."""

    def latest(self, shop: str, kind: str) -> list[ControlRecord]:
        """The latest version of every name of a kind that is not deleted, by name."""

    def page(self, shop: str, kind: str, after: str, limit: int) -> list[ControlRecord]:
        """As `latest`, for at most `limit` names > `after` in the byte order of UTF-8."""

    def history(self, shop: str, kind: str, name: str) -> list[ControlRecord]:
        """Every version, newest first."""

    def marks(self, shop: str) -> dict[str, int]:
        """Per kind how many puts and purges there were: one cheap read that tells what changed."""

    def purge(self, shop: str, kind: str, name: str) -> int:
        """Remove every version for good; return how many there were."""


class Lease(NamedTuple):
    """Who has a piece of work; `beat` rises with every renewal."""

    holder: str
    beat: int


class Leases(Protocol):
    """Who does the work that one process should do. No clock: holders beat, others watch."""

    def lease(self, name: str) -> Lease | None:
        """The lease as it stands; None when nobody ever had it."""

    def claim(self, name: str, holder: str, beat: int) -> bool:
        """Become or stay the holder if the lease is still at `beat` (0: nobody had it yet)."""


class Snapshots(Protocol):
    """Published snapshots: immutable folders."""

    def publish(self, shop: str, built: Path) -> Path:
        """Make a finished folder the newest snapshot, atomically; return where it now is."""

    def latest(self, shop: str) -> Path | None:
        """The newest complete snapshot, or None."""

    def kept(self, shop: str) -> list[Path]:
        """Every snapshot that is still there, newest first."""

    def prune(self, shop: str, keep: int) -> int:
        """Remove all but the newest `keep`; return how many went."""


class Objects(Protocol):
    """Files under names with slashes, in a folder or in object storage. All may block.

    Every method raises StoreUnavailable when the storage does not answer.
    """

    def get(self, name: str) -> bytes | None:
        """A small object; None when there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Store a small object in one step, in place of one that was there."""

    def fetch(self, name: str, file: Path) -> bool:
        """Copy an object into a file; False when there is none."""

    def send(self, file: Path, name: str) -> None:
        """Store a file in one step."""

    def names(self, below: str) -> list[str]:
        """The names of all objects below a prefix, which ends in a slash."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there are passed over."""
