"""Rollups with the live tail on top: what reports read."""

import datetime
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

from endcap.build.archive import rows_of
from endcap.core.event import Event
from endcap.core.ports import EventLog
from endcap.core.times import DAY, HOUR, SECOND, Clock

from .overlay import overlay
from .rollups import END_OF_DAYS, EPOCH, Day, Rollups

PAGE = 5_000
# A longer tail is archived and folded instead of being counted anew for every report.
LONGEST_TAIL = 20_000
KEPT = 2 * SECOND


class Freshness(msgspec.Struct, frozen=True):
    """The last place of the log that is counted, and when that was (UTC milliseconds)."""

    seq: int
    at: int


class LiveRollups:
    """Gives a database with every rollup table, complete up to a moment ago.

    `archive` brings the archive up to the log's end. One thread works at a time.
    """

    def __init__(
        self,
        log: EventLog,
        shop: str,
        rollups: Rollups,
        archive: Callable[[], object],
        clock: Clock,
    ) -> None:
        self._log = log
        self._shop = shop
        self._rollups = rollups
        self._archive = archive
        self._clock = clock
        self._lock = threading.Lock()
        self._ready: tuple[duckdb.DuckDBPyConnection, Freshness] | None = None

    @contextmanager
    def open(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Freshness]]:
        """A database with the rollup tables, at most two seconds old; one user at a time."""
        with self._lock:
            now = self._clock()
            if self._ready is None or not 0 <= now - self._ready[1].at <= KEPT:
                self.close()
                self._ready = self._fresh(now)
            yield self._ready

    def fold(self) -> None:
        """Archive the log and fold it, as after a build."""
        with self._lock:
            self.close()
            self._archive()
            self._rollups.fold()

    def after(self, change: Callable[[], int]) -> int:
        """Run a change of the archive while nobody reads; if it took anything, count anew."""
        with self._lock:
            self.close()
            changed = change()
            if changed:
                self._rollups.clear()
            return changed

    def close(self) -> None:
        """Let go of the database."""
        if self._ready is not None:
            self._ready[0].close()
            self._ready = None

    def _fresh(self, now: int) -> tuple[duckdb.DuckDBPyConnection, Freshness]:
        state = self._rollups.state()
        tail = self._tail(state.seq)
        if tail is None or state.attribution != self._rollups.attribution or not state.seq:
            self._archive()
            state = self._rollups.fold()
            tail = self._tail(state.seq) or []
        database = self._rollups.connect()
        try:
            self._load(database, tail)
        except BaseException:
            database.close()
            raise
        return database, Freshness(tail[-1].seq if tail else state.seq, now)

    def _tail(self, seq: int) -> list[Event] | None:
        """Events after `seq`; None when they are too many."""
        tail: list[Event] = []
        while page := self._log.after(self._shop, tail[-1].seq if tail else seq, PAGE):
            tail += page
            if len(tail) > LONGEST_TAIL:
                return None
        return tail

    def _load(self, database: duckdb.DuckDBPyConnection, tail: list[Event]) -> None:
        first = _first_day(tail)
        self._rollups.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._rollups.folder, prefix="tail-") as work:
            file = Path(work) / "tail.ndjson"
            encode = msgspec.json.Encoder().encode
            with file.open("wb") as stream:
                stream.writelines(encode(row) + b"\n" for event in tail for row in rows_of(event))
            overlay(database, self._rollups, first, file)


def _first_day(tail: list[Event]) -> Day:
    """The first day that the tail can change; a click may come up to an hour before its slate."""
    if not tail:
        return END_OF_DAYS
    earliest = min(event.occurred_at for event in tail)
    return EPOCH + datetime.timedelta(days=(earliest - HOUR) // DAY)
