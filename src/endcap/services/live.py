"""The live state of each shop: its catalogue columns and the snapshot joined to them."""

import asyncio
from collections import defaultdict
from pathlib import Path

import msgspec

from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.catalog.undo import Undo
from endcap.core.errors import SnapshotRefused
from endcap.core.ports import Catalogue, EventLog, Snapshots
from endcap.core.product import ProductDocument
from endcap.core.times import MINUTE
from endcap.recommend.history import SESSION_MINUTES
from endcap.recommend.query import State
from endcap.relations.counters import WINDOWS, Counters
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot
from endcap.relations.tail import Tail

from .catalogue_images import PAGE, CatalogueImages
from .tailing import catch_up, skip_most


class LiveState:
    """One `State` per shop, replaced as a whole when a new snapshot comes.

    A request takes the state once and works on it to its end, so a swap drops nothing.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        snapshots: Snapshots,
        log: EventLog | None = None,
        session_minutes: int = SESSION_MINUTES,
        images: Path | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._images = CatalogueImages(catalogue, images)
        self._snapshots = snapshots
        self._log = log
        self._pause = session_minutes * MINUTE
        self._states: dict[str, State] = {}
        self._undo: dict[str, Undo] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._folders: dict[str, Path] = {}
        self.refused: str | None = None

    def state(self, shop: str) -> State:
        """The shop's state; a shop never seen has an empty one."""
        state = self._states.get(shop)
        if state is None:
            state = self._states[shop] = self._empty(Columns(shop))
        return state

    async def load(self, shop: str) -> None:
        """Read the whole catalogue and the newest snapshot."""
        columns = await self._images.columns(shop)
        # What the shop decided by hand may have been read already; it is not the catalogue's.
        merchant = self.state(shop).merchant
        self._states[shop] = msgspec.structs.replace(self._empty(columns), merchant=merchant)
        folder = await asyncio.to_thread(self._snapshots.latest, shop)
        if folder is not None:
            await self._swap_to_the_last_good(shop, folder)
        elif self._log is not None:
            tail = self.state(shop).tail
            await skip_most(self._log, shop, tail)
            await catch_up(self._log, shop, tail, columns, lambda: True)

    async def _swap_to_the_last_good(self, shop: str, newest: Path) -> None:
        """Use the newest snapshot, or the newest that is not refused, and say that it was."""
        if await self.swap(shop, newest):
            return
        refused = self.refused
        for folder in await asyncio.to_thread(self._snapshots.kept, shop):
            if folder != newest and await self.swap(shop, folder):
                break
        self.refused, self._folders[shop] = refused, newest

    async def changed(self, shop: str, documents: list[ProductDocument]) -> None:
        """Take catalogue changes into the columns; they are in the next answer.

        Where another process has made changes in between, all are read from the store, in order.
        """
        if not documents:
            return
        async with self._turns[shop]:
            if documents[0].change <= self.state(shop).columns.change + 1:
                self._apply(shop, documents)
            else:
                await self._read_on(shop)

    async def follow(self, shop: str) -> int:
        """Take in what other processes changed; how many products that was."""
        async with self._turns[shop]:
            return await self._read_on(shop)

    async def follow_snapshot(self, shop: str) -> bool:
        """Use the newest snapshot if it is another than the one in use; whether it was."""
        folder = await asyncio.to_thread(self._snapshots.latest, shop)
        if folder is None or folder == self._folders.get(shop):
            return False
        return await self.swap(shop, folder)

    async def _read_on(self, shop: str) -> int:
        columns = self.state(shop).columns
        read = 0
        while True:
            since = columns.change
            documents = await asyncio.to_thread(self._catalogue.changes, shop, since, PAGE)
            self._apply(shop, documents)
            read += len(documents)
            if len(documents) < PAGE:
                return read

    def _apply(self, shop: str, documents: list[ProductDocument]) -> None:
        undo, columns = self.undo(shop), self.state(shop).columns
        for document in documents:
            if document.change > columns.change:
                undo.before([document.id], document.change)
                columns.apply([document])

    def _empty(self, columns: Columns) -> State:
        return State(columns, Joined(None, columns), Cards(columns), Tail(pause=self._pause))

    def undo(self, shop: str) -> Undo:
        """What the last live changes replaced."""
        undo = self._undo.get(shop)
        if undo is None:
            undo = self._undo[shop] = Undo(self.state(shop).columns)
        return undo

    def tail_of(self, joined: Joined) -> Tail:
        """A tail that begins where a snapshot ends."""
        return _tail(joined, self._pause)

    async def recount(self, shop: str) -> None:
        """Count the log's tail anew, as after events were erased from it."""
        state = self.state(shop)
        tail = _tail(state.joined, self._pause)
        if self._log is not None:
            if state.joined.snapshot is None:
                await skip_most(self._log, shop, tail)
            await catch_up(self._log, shop, tail, state.columns, lambda: True)
        self._states[shop] = msgspec.structs.replace(self.state(shop), tail=tail)

    async def swap(self, shop: str, folder: Path) -> bool:
        """Use the snapshot in `folder` from the next request on, with the log's tail since then.

        One that is torn or of another format is refused: the state stays, `refused` says why, and
        the answer is False.
        """
        state = self.state(shop)
        # A refused one is not tried again and again.
        self._folders[shop] = folder
        try:
            joined = await asyncio.to_thread(_join, folder, state.columns)
        except SnapshotRefused as error:
            self.refused = error.detail
            return False
        self.refused = None
        tail = _tail(joined, self._pause)
        if self._log is not None:
            await catch_up(self._log, shop, tail, state.columns, lambda: True)
        await asyncio.to_thread(_warm, joined, tail)
        self._states[shop] = msgspec.structs.replace(self.state(shop), joined=joined, tail=tail)
        return True


def _tail(joined: Joined, pause: int) -> Tail:
    """The tail that begins where the snapshot ends."""
    snapshot = joined.snapshot
    if snapshot is None or "counters" not in snapshot.tables:
        return Tail(snapshot.manifest.log_seq if snapshot else 0, pause=pause)
    zones = snapshot.texts("counter_zones")
    counters = Counters.restored(snapshot.tables, zones, joined.rows, joined.ids)
    return Tail(snapshot.manifest.log_seq, counters, pause)


def _join(folder: Path, columns: Columns) -> Joined:
    return Joined(Snapshot.open(folder), columns)


def _warm(joined: Joined, tail: Tail) -> None:
    """Put together, before it is used, what the first requests would else wait for.

    With a million products an order takes some 50 ms; later ones are only mended.
    """
    snapshot = joined.snapshot
    if snapshot is None:
        return
    assert joined.best_of_category is not None
    now = snapshot.manifest.as_of
    for window in snapshot.popularity:
        joined.ranked(window)
        if window in WINDOWS:
            tail.counters.ranked(window, now)
    joined.trends.ranked(tail.counters, now)
