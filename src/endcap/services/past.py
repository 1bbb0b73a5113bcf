"""A shop's state as it was when a slate was made, as far as it is still known."""

import asyncio
from pathlib import Path
from typing import NamedTuple

from endcap.catalog.cards import Cards
from endcap.core.errors import SnapshotRefused
from endcap.core.event import Inputs, VisitorState
from endcap.core.ports import EventLog, Snapshots
from endcap.ingest.fold import KEPT, MAX_KEPT, MAX_SHOWN, SHOWN, fold
from endcap.recommend.query import State
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot, read_manifest

from .live import LiveState

# Events of a visitor that are read to find those that were there at the time.
LOOK_BACK = 1_000


class Past(NamedTuple):
    """The state, and in words what of it could not be brought back."""

    state: State
    differences: list[str]


class PastStates:
    """Brings back catalogue, snapshot and visitor state."""

    def __init__(self, live: LiveState, snapshots: Snapshots, log: EventLog) -> None:
        self._live = live
        self._snapshots = snapshots
        self._log = log

    async def state(self, shop: str, inputs: Inputs) -> Past:
        """The shop's state with the catalogue and the snapshot of the inputs."""
        now = self._live.state(shop)
        differences: list[str] = []
        columns = self._live.undo(shop).at(inputs.catalogue)
        if columns is None:
            columns = now.columns
            differences.append("the catalogue has changed too often since to be taken back")
        if columns is now.columns and inputs.snapshot == now.joined.version:
            return Past(now, differences + self._tail(now, inputs))
        snapshot = now.joined.snapshot
        if inputs.snapshot != now.joined.version:
            folder = await asyncio.to_thread(self._folder, shop, inputs.snapshot)
            try:
                snapshot = Snapshot.open(folder, verify=False) if folder else snapshot
            except SnapshotRefused:
                folder = None
            if folder is None and inputs.snapshot:
                differences.append(f"snapshot {inputs.snapshot} is no longer kept")
            elif not inputs.snapshot:
                snapshot = None
        cards = Cards(columns)
        state = State(columns, Joined(snapshot, columns), cards, now.tail)
        return Past(state, differences + self._tail(now, inputs))

    async def visitor(
        self, shop: str, visitor: str, at: int, inputs: Inputs
    ) -> tuple[VisitorState, list[str]]:
        """The visitor's state at the time, from the events received by then."""
        state = VisitorState()
        for types, kept in ((KEPT, MAX_KEPT), (SHOWN, MAX_SHOWN)):
            found = await asyncio.to_thread(self._log.by_visitor, shop, visitor, LOOK_BACK, types)
            fold(state, [event for event in found if event.received_at <= at][-kept:])
        newest = state.recent[-1].occurred_at if state.recent else 0
        if (len(state.recent), newest) == (inputs.kept, inputs.newest):
            return state, []
        return state, ["the visitor's events have changed since (erased, merged or late)"]

    def _tail(self, now: State, inputs: Inputs) -> list[str]:
        if now.tail.seq == inputs.tail:
            return []
        return ["live counters have moved on; strategies that read them may differ"]

    def _folder(self, shop: str, version: str) -> Path | None:
        for folder in self._snapshots.kept(shop):
            try:
                if read_manifest(folder).version == version:
                    return folder
            except SnapshotRefused:
                continue
        return None
