"""Rollups on disk: one Parquet file per table and day, folded from the archive.

Folding again after new events, late ones too, gives the same files as folding all from the start:
only days that new events can touch are made again, from those days' events and what earlier days
hold already.
"""

import datetime
import shutil
from collections.abc import Iterable, Iterator
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
FORM = 1
Day = datetime.date
ONE_DAY = datetime.timedelta(days=1)
EPOCH = Day(1970, 1, 1)


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
        if (state.form, state.attribution) != (FORM, self.attribution):
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

    def state(self) -> RollupState:
        """How far it is."""
        file = self.folder / STATE
        if not file.exists():
            return RollupState(0, FORM, self.attribution)
        return msgspec.json.decode(file.read_bytes(), type=RollupState)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A database in memory with the limits of this installation."""
        return duckdb.connect(config={**self._config, "temp_directory": str(self.folder / "spill")})

    def compute_from(
        self, connection: duckdb.DuckDBPyConnection, first: Day, tail: Path | None
    ) -> None:
        """Make the rollup tables of `first` and the days after it, with newer rows in `tail`."""
        context = first - CONTEXT_DAYS * ONE_DAY
        lines_of(connection, list(_files(self.archive, context)), tail)
        values = self.attribution.values() | {"first": _millis(first)}
        reach = first - (self.attribution.days + 1) * ONE_DAY
        earlier = {}
        for table, since in (("touches", reach), ("sales", None), ("credits", None)):
            files = list(self.files(table, since, first - ONE_DAY))
            if files:
                earlier[table] = f"SELECT * FROM read_parquet({listed(files)}, union_by_name=true)"
        compute(connection, values, earlier)

    def files(self, table: str, first: Day | None = None, last: Day | None = None) -> Iterator[str]:
        """The files of a table from `first` to `last`, both included."""
        yield from _files(self.folder / table, first, last)

    def _fold_from(self, first: Day) -> None:
        with TemporaryDirectory(dir=self.folder, prefix="fold-") as work, self.connect() as db:
            self.compute_from(db, first, None)
            for table in TABLES:
                made = Path(work) / table
                made.mkdir()
                db.execute(
                    f"COPY (SELECT * FROM {table} ORDER BY ALL) "
                    f"TO '{made}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))"
                )
            for table in TABLES:
                self._replace(table, Path(work) / table, first)

    def _replace(self, table: str, made: Path, first: Day) -> None:
        target = self.folder / table
        target.mkdir(exist_ok=True)
        for day in target.glob("day=*"):
            if _day(day.name) >= first:
                shutil.rmtree(day)
        for day in made.glob("day=*"):
            day.rename(target / day.name)


def _files(folder: Path, first: Day | None = None, last: Day | None = None) -> Iterator[str]:
    for day in sorted(folder.glob("day=*")):
        date = _day(day.name)
        if (first is None or date >= first) and (last is None or date <= last):
            yield from sorted(str(file) for file in day.glob("*.parquet"))


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
