"""Rollups with the live tail on top: what reports read."""

import datetime
import fcntl
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

    `archive` brings the archive up to the log's end. One thread works at a time; processes on one
    data folder take turns by a file lock, so that none reads what another is replacing.
    """

    def __init__(
        self,
        log: EventLog,
        shop: str,
        rollups: Rollups,
        archive: Callable[[Callable[[float], None]], object],
        clock: Clock,
    ) -> None:
        self._log = log
        self._shop = shop
        self._rollups = rollups
        self._archive = archive
        self._clock = clock
        self._lock = threading.Lock()
        self._ready: tuple[duckdb.DuckDBPyConnection, Freshness] | None = None
        self._folded = -1

    @contextmanager
    def open(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, Freshness]]:
        """A database with the rollup tables, at most two seconds old; one user at a time."""
        with self._lock:
            if not self._kept(self._clock()):
                self._fold_if_far_behind()
            with locked(self._rollups.folder, fcntl.LOCK_SH):
                now, seq = self._clock(), self._rollups.state().seq
                if self._ready is None or self._folded != seq or not self._kept(now):
                    self.close()
                    self._folded = seq
                    self._ready = self._fresh(now)
                yield self._ready

    def fold(self, done: Callable[[float], None] = lambda _: None) -> None:
        """Archive the log and fold it, as before a build."""
        with self._lock:
            self._fold(done)

    def after(self, change: Callable[[], int]) -> int:
        """Run a change of the archive while nobody reads; if it took anything, count anew."""
        with self._lock:
            self.close()
            with locked(self._rollups.folder, fcntl.LOCK_EX):
                changed = change()
                if changed:
                    self._rollups.clear()
            return changed

    def close(self) -> None:
        """Let go of the database."""
        if self._ready is not None:
            self._ready[0].close()
            self._ready = None

    def _fold(self, done: Callable[[float], None] = lambda _: None) -> None:
        self.close()
        with locked(self._rollups.folder, fcntl.LOCK_EX):
            self._archive(done)
            self._rollups.fold()

    def _fold_if_far_behind(self) -> None:
        state = self._rollups.state()
        # Places of several shops are counted together, so there are at most this many events.
        behind = self._log.last(self._shop) - state.seq
        if behind > LONGEST_TAIL or not state.seq or not self._rollups.stands(state):
            self._fold()

    def _kept(self, now: int) -> bool:
        return self._ready is not None and 0 <= now - self._ready[1].at <= KEPT

    def _fresh(self, now: int) -> tuple[duckdb.DuckDBPyConnection, Freshness]:
        state = self._rollups.state()
        tail = self._tail(state.seq)
        database = self._rollups.connect()
        try:
            self._load(database, tail)
        except BaseException:
            database.close()
            raise
        return database, Freshness(tail[-1].seq if tail else state.seq, now)

    def _tail(self, seq: int) -> list[Event]:
        """Events after `seq`."""
        tail: list[Event] = []
        while page := self._log.after(self._shop, tail[-1].seq if tail else seq, PAGE):
            tail += page
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


@contextmanager
def locked(folder: Path, kind: int) -> Iterator[None]:
    """Hold the folder's lock, shared or exclusive (`fcntl.LOCK_SH`, `LOCK_EX`)."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, kind)
        yield


def _first_day(tail: list[Event]) -> Day:
    """The first day that the tail can change; a click may come up to an hour before its slate."""
    if not tail:
        return END_OF_DAYS
    earliest = min(event.occurred_at for event in tail)
    return EPOCH + datetime.timedelta(days=(earliest - HOUR) // DAY)
