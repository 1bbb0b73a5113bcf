"""A shop's state as it was when a slate was made, as far as it is still known."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.errors import SnapshotRefused
from endcap.core.event import Event, Inputs, VisitorState
from endcap.core.ports import EventLog, Snapshots
from endcap.ingest.fold import KEPT, LIFETIME, SHOWN, fold
from endcap.ingest.identity import events_of
from endcap.recommend.query import State
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot, read_manifest
from endcap.relations.tail import Tail

from .live import LiveState

# Impressions of a visitor that are read to find those that were there at the time.
LOOK_BACK = 1_000
# Events that are counted again at most, and how many are read at a time.
MAX_TAIL = 200_000
PAGE = 5_000


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
        """The shop's state with the catalogue, the snapshot and the tail of the inputs."""
        now = self._live.state(shop)
        differences: list[str] = []
        columns = self._live.undo(shop).at(inputs.catalogue)
        if columns is None:
            columns = now.columns
            differences.append("the catalogue has changed too often since to be taken back")
        snapshot, missing = await asyncio.to_thread(self._snapshot, shop, inputs, now)
        differences += missing
        joined, tail = now.joined, now.tail
        if columns is not now.columns or snapshot is not now.joined.snapshot:
            joined = Joined(snapshot, columns)
        if joined is not now.joined or inputs.tail != now.tail.seq:
            tail = self._live.tail_of(joined)
            differences += await asyncio.to_thread(self._fold, shop, tail, columns, inputs.tail)
        if columns is now.columns and joined is now.joined and tail is now.tail:
            return Past(now, differences)
        cards = now.cards if columns is now.columns else Cards(columns)
        return Past(State(columns, joined, cards, tail, now.merchant), differences)

    async def visitor(
        self, shop: str, visitor: str, at: int, inputs: Inputs
    ) -> tuple[VisitorState, list[str]]:
        """The visitor's state at the time, from the events received by then."""

        def read(one: str, limit: int, types: Collection[str]) -> list[Event]:
            found = self._log.by_visitor(shop, one, limit, types)
            return [event for event in found if event.received_at <= at]

        state = VisitorState()
        for types, most in ((KEPT, LIFETIME), (SHOWN, LOOK_BACK)):
            fold(state, await asyncio.to_thread(events_of, read, visitor, most, types))
        newest = state.recent[-1].occurred_at if state.recent else 0
        if (len(state.recent), newest) == (inputs.kept, inputs.newest):
            return state, []
        return state, ["the visitor's events have changed since (erased, merged or late)"]

    def _snapshot(self, shop: str, inputs: Inputs, now: State) -> tuple[Snapshot | None, list[str]]:
        if inputs.snapshot == now.joined.version:
            return now.joined.snapshot, []
        if not inputs.snapshot:
            return None, []
        folder = self._folder(shop, inputs.snapshot)
        try:
            if folder is not None:
                return Snapshot.open(folder, verify=False), []
        except SnapshotRefused:
            pass
        return now.joined.snapshot, [f"snapshot {inputs.snapshot} is no longer kept"]

    def _fold(self, shop: str, tail: Tail, columns: Columns, until: int) -> list[str]:
        """Fold the log up to a place; what it takes too long to read is said."""
        if until - tail.seq > MAX_TAIL:
            return ["too many events lie between the snapshot and the slate to be counted again"]
        while tail.seq < until:
            events = self._log.after(shop, tail.seq, PAGE)
            tail.fold([event for event in events if event.seq <= until], columns)
            if len(events) < PAGE or events[-1].seq >= until:
                break
        return []

    def _folder(self, shop: str, version: str) -> Path | None:
        for folder in self._snapshots.kept(shop):
            try:
                if read_manifest(folder).version == version:
                    return folder
            except SnapshotRefused:
                continue
        return None
