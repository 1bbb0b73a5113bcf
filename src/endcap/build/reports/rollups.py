"""Rollups on disk: one Parquet file per table and day, folded from the archive.

Folding again after new events, late ones too, gives the same files as folding all from the start:
only days that new events can touch are made again, from those days' events and what earlier days
hold already.
"""

import datetime
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

from endcap.build.archive import read_state
from endcap.core.times import DAY

from .attribution import Attribution
from .tables import CONTEXT_DAYS, TABLES, compute, lines_of, listed

STATE = "rollups.json"
# Raised when a kernel changes what it makes.
FORM = 6
Day = datetime.date
ONE_DAY = datetime.timedelta(days=1)
EPOCH = Day(1970, 1, 1)
END_OF_DAYS = Day(9000, 1, 1)
# Archive bytes folded at a time; a few times as much in memory.
CHUNK = 48 * 2**20


class RollupState(msgspec.Struct, frozen=True):
    """How far the log is folded, and under which rules."""

    seq: int
    form: int
    attribution: Attribution


class Rollups:
    """One shop's rollups in `folder`, from its archive; not safe to fold from two threads."""

    def __init__(
        self, archive: Path, folder: Path, attribution: Attribution, memory: str, threads: int
    ) -> None:
        self.archive = archive
        self.folder = folder
        self.attribution = attribution
        self._config = {"memory_limit": memory, "threads": str(threads)}

    def fold(self) -> RollupState:
        """Bring the rollups up to the archive's end."""
        state = self.state()
        if not self.stands(state):
            shutil.rmtree(self.folder, ignore_errors=True)
            state = RollupState(0, FORM, self.attribution)
        self.folder.mkdir(parents=True, exist_ok=True)
        end = read_state(self.archive).seq
        days = sorted(_new_days(self.archive, state.seq))
        if days:
            self._fold_from(days[0] - ONE_DAY)
        if end > state.seq or not (self.folder / STATE).exists():
            state = RollupState(end, FORM, self.attribution)
            fresh = self.folder / "state.new"
            fresh.write_bytes(msgspec.json.encode(state))
            fresh.replace(self.folder / STATE)
        return state

    def clear(self) -> None:
        """Remove everything; the next fold makes it anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def stands(self, state: RollupState) -> bool:
        """Whether rollups made under this state are as they would be made now."""
        return (state.form, state.attribution) == (FORM, self.attribution)

    def state(self) -> RollupState:
        """How far it is."""
        file = self.folder / STATE
        if not file.exists():
            return RollupState(0, FORM, self.attribution)
        return msgspec.json.decode(file.read_bytes(), type=RollupState)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A database in memory with the limits of this installation."""
        return duckdb.connect(
            config={
                **self._config,
                "temp_directory": str(self.folder / "spill"),
                "preserve_insertion_order": "false",
            }
        )

    def compute_from(self, connection: duckdb.DuckDBPyConnection, first: Day, last: Day) -> None:
        """Make the rollup tables of the days from `first` to `last`."""
        lines_of(connection, "lines", self.lines_around(first, last))
        reach = first - (self.attribution.days + 1) * ONE_DAY
        earlier = {}
        for table, since in (("touches", reach), ("sales", None), ("credits", None)):
            files = list(self.files(table, since, first - ONE_DAY))
            if files:
                earlier[table] = f"SELECT * FROM read_parquet({listed(files)}, union_by_name=true)"
        compute(connection, self.values(first, last), earlier)

    def lines_around(self, first: Day, last: Day = END_OF_DAYS) -> list[str]:
        """The archive files that the rollups of the days depend on, beside earlier rollups.

        A click may bear a time a little before that of its slate, so a day more is read.
        """
        return list(_files(self.archive, first - CONTEXT_DAYS * ONE_DAY, last + ONE_DAY))

    def values(self, first: Day, last: Day = END_OF_DAYS) -> dict[str, int]:
        """What the kernels take for these days."""
        days = {"first": _millis(first), "until": _millis(last + ONE_DAY)}
        return self.attribution.values() | days

    def files(self, table: str, first: Day | None = None, last: Day | None = None) -> Iterator[str]:
        """The files of a table from `first` to `last`, both included."""
        yield from _files(self.folder / table, first, last)

    def _fold_from(self, first: Day) -> None:
        """Make the days from `first` on anew, some at a time, each on what those before left."""
        for table in TABLES:
            for old in (self.folder / table).glob("day=*"):
                if _day(old.name) >= first:
                    shutil.rmtree(old)
        begin, size = first, 0
        days = [day for day in _days(self.archive) if day >= first]
        for place, day in enumerate(days):
            size += sum(Path(file).stat().st_size for file in _files(self.archive, day, day))
            if size >= CHUNK or place == len(days) - 1:
                self._fold_days(begin, day)
                begin, size = day + ONE_DAY, 0

    def _fold_days(self, first: Day, last: Day) -> None:
        with TemporaryDirectory(dir=self.folder, prefix="fold-") as work, self.connect() as db:
            self.compute_from(db, first, last)
            for table in TABLES:
                made = Path(work) / table
                made.mkdir()
                db.execute(
                    f"COPY (SELECT * FROM {table} ORDER BY ALL) "
                    f"TO '{made}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))"
                )
            for table in TABLES:
                self._put(table, Path(work) / table)

    def _put(self, table: str, made: Path) -> None:
        target = self.folder / table
        target.mkdir(exist_ok=True)
        for day in made.glob("day=*"):
            day.rename(target / day.name)


class Noted(Rollups):
    """Rollups that note how long a fold took and how many places of the log it took in."""

    def __init__(
        self, rollups: Rollups, note: Callable[[], AbstractContextManager[dict[str, int]]]
    ) -> None:
        self.__dict__.update(rollups.__dict__)
        self._note = note

    def fold(self) -> RollupState:
        """Bring the rollups up to the archive's end."""
        with self._note() as counts:
            before = self.state().seq
            state = super().fold()
            counts["events"] = state.seq - before
        return state


def _files(folder: Path, first: Day | None = None, last: Day | None = None) -> Iterator[str]:
    for day in _days(folder):
        if (first is None or day >= first) and (last is None or day <= last):
            yield from sorted(str(file) for file in (folder / f"day={day}").glob("*.parquet"))


def _days(folder: Path) -> list[Day]:
    return sorted(_day(day.name) for day in folder.glob("day=*"))


def _new_days(archive: Path, seq: int) -> Iterable[Day]:
    return {
        _day(part.parent.name)
        for part in archive.glob("day=*/part-*.parquet")
        if int(part.name.split("-")[1]) > seq
    }


def _day(name: str) -> Day:
    return Day.fromisoformat(name.removeprefix("day="))


def _millis(day: Day) -> int:
    return (day - EPOCH).days * DAY
