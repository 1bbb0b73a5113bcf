"""The live state of each shop: its catalogue columns and the snapshot joined to them."""

import asyncio
from pathlib import Path

import msgspec

from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.catalog.undo import Undo
from endcap.core.errors import SnapshotRefused
from endcap.core.ports import Catalogue, Snapshots
from endcap.core.product import ProductDocument
from endcap.recommend.query import State
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot

PAGE = 2_000


class LiveState:
    """One `State` per shop, replaced as a whole when a new snapshot comes.

    A request takes the state once and works on it to its end, so a swap drops nothing.
    """

    def __init__(self, catalogue: Catalogue, snapshots: Snapshots) -> None:
        self._catalogue = catalogue
        self._snapshots = snapshots
        self._states: dict[str, State] = {}
        self._undo: dict[str, Undo] = {}
        self.refused: str | None = None

    def state(self, shop: str) -> State:
        """The shop's state; a shop never seen has an empty one."""
        state = self._states.get(shop)
        if state is None:
            columns = Columns(shop)
            state = State(columns, Joined(None, columns), Cards(columns))
            self._states[shop] = state
        return state

    async def load(self, shop: str) -> None:
        """Read the whole catalogue and the newest snapshot."""
        columns = self.state(shop).columns
        while True:
            documents = await asyncio.to_thread(self._catalogue.changes, shop, columns.change, PAGE)
            columns.apply(documents)
            if len(documents) < PAGE:
                break
        folder = await asyncio.to_thread(self._snapshots.latest, shop)
        if folder is not None:
            await self.swap(shop, folder)

    def changed(self, shop: str, documents: list[ProductDocument]) -> None:
        """Take catalogue changes into the columns; they are in the next answer."""
        undo = self.undo(shop)
        for document in documents:
            undo.before([document.id], document.change)
            self.state(shop).columns.apply([document])

    def undo(self, shop: str) -> Undo:
        """What the last live changes replaced."""
        undo = self._undo.get(shop)
        if undo is None:
            undo = self._undo[shop] = Undo(self.state(shop).columns)
        return undo

    async def swap(self, shop: str, folder: Path) -> bool:
        """Use the snapshot in `folder` from the next request on.

        One that is torn or of another format is refused: the state stays, `refused` says why, and
        the answer is False.
        """
        state = self.state(shop)
        try:
            joined = await asyncio.to_thread(_join, folder, state.columns)
        except SnapshotRefused as error:
            self.refused = error.detail
            return False
        self.refused = None
        self._states[shop] = msgspec.structs.replace(self.state(shop), joined=joined)
        return True


def _join(folder: Path, columns: Columns) -> Joined:
    return Joined(Snapshot.open(folder), columns)
