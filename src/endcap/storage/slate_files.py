"""An export's file, written part by part so that it can be taken up where it broke off.

Parts and `state.json` lie in a folder beside the target, `NAME.parts`; each part is complete before
the state counts it. The last step joins the parts into the target and removes the folder.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec

from endcap.core.errors import ConfigurationError

FORMATS = {".parquet": "parquet", ".csv": "csv", ".ndjson": "json", ".jsonl": "json"}
MEMORY = "512MB"
KINDS = {"position": "INTEGER", "score": "DOUBLE"}


class ExportState(msgspec.Struct, frozen=True, kw_only=True):
    """What is exported (`job`, compared as a whole), and how far it is."""

    job: dict[str, str]
    visitors: int = 0
    rows: int = 0
    refused: int = 0
    parts: int = 0


class SlateFiles:
    """The parts of one export. Raises ConfigurationError for a target of unknown format."""

    def __init__(self, target: Path, columns: Sequence[str], job: dict[str, str]) -> None:
        if target.suffix not in FORMATS:
            known = ", ".join(FORMATS)
            raise ConfigurationError(f"{target.name}: the name must end with one of {known}")
        self._target = target
        self._columns = ", ".join(f"{name}: '{KINDS.get(name, 'VARCHAR')}'" for name in columns)
        self._folder = target.with_name(f"{target.name}.parts")
        self._file = self._folder / "state.json"
        self.state = self._begun(job)

    def add(self, rows: Sequence[msgspec.Struct], visitors: int, refused: int) -> None:
        """Write one more part: the rows of the next `visitors`, `refused` of them without any."""
        part = self._part(self.state.parts + 1)
        if rows:
            lines = self._folder / "lines.ndjson"
            encode = msgspec.json.Encoder().encode
            with lines.open("wb") as stream:
                stream.writelines(encode(row) + b"\n" for row in rows)
            source = f"read_json('{_quoted(lines)}', format = 'newline_delimited', "
            self._copy(f"{source}columns = {{{self._columns}}})", part, "parquet")
            lines.unlink()
        before = self.state
        self._keep(
            msgspec.structs.replace(
                before,
                visitors=before.visitors + visitors,
                rows=before.rows + len(rows),
                refused=before.refused + refused,
                parts=before.parts + bool(rows),
            )
        )

    def finish(self) -> ExportState:
        """Join the parts into the target, replacing it in one step."""
        parts = [self._part(number) for number in range(1, self.state.parts + 1)]
        fresh = self._folder / f"joined{self._target.suffix}"
        source = f"read_parquet([{', '.join(repr(_quoted(part)) for part in parts)}])"
        if not parts:
            nulls = self._columns.replace("'", "").split(", ")
            made = (f"CAST(NULL AS {kind}) AS {n}" for n, kind in (c.split(": ") for c in nulls))
            source = f"(SELECT {', '.join(made)}) WHERE false"
        self._copy(source, fresh, FORMATS[self._target.suffix])
        fresh.replace(self._target)
        shutil.rmtree(self._folder)
        return self.state

    def _begun(self, job: dict[str, str]) -> ExportState:
        if not self._file.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            return ExportState(job=job)
        state = msgspec.json.decode(self._file.read_bytes(), type=ExportState)
        if state.job != job:
            raise ConfigurationError(
                f"{self._folder} holds the parts of another export ({state.job}); finish that one, "
                "or start over with --restart"
            )
        return state

    def _keep(self, state: ExportState) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(state))
        with fresh.open("rb") as stream:
            os.fsync(stream.fileno())
        fresh.replace(self._file)
        self.state = state

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:06}.parquet"

    def _copy(self, source: str, target: Path, kind: str) -> None:
        # Names of our own and quoted paths; no input reaches the SQL.
        query = f"SELECT * FROM {source}"  # noqa: S608
        with duckdb.connect(config={"threads": 1, "memory_limit": MEMORY}) as connection:
            connection.execute(f"COPY ({query}) TO '{_quoted(target)}' (FORMAT {kind})")


def discard(target: Path) -> None:
    """Throw away the parts of an export that broke off."""
    shutil.rmtree(target.with_name(f"{target.name}.parts"), ignore_errors=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
