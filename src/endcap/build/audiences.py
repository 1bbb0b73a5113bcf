"""Who belongs to which of the shop's own segments at the time of a build.

A segment is an expression over a visitor; here it is a mask over all visitors of the log at once.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import ByteArray, FloatArray, IntArray, Lists, Symbols
from endcap.core.money import exponent
from endcap.core.times import DAY
from endcap.ingest.fold import KEPT, MAX_KEPT
from endcap.recommend.environment import now_values
from endcap.rules.columns import Coded, Rows
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import Expression, compile_expression
from endcap.rules.fields import VISITORS

from .engines import tables_sql
from .engines.engine import Engine

LOG = logging.getLogger(__name__)


class Audiences(msgspec.Struct, frozen=True):
    """The shop's own segments: name to condition, in the order they are counted.

    `tags` are those of visitors (pseudonyms); `currency` is the shop's.
    """

    segments: dict[str, str] = {}
    tags: Mapping[str, frozenset[str]] = {}
    currency: str = "XXX"


class Counted(NamedTuple):
    """A segment that a build can count."""

    name: str
    expression: Expression


def countable(audiences: Audiences) -> list[Counted]:
    """The segments, compiled; one that cannot be worked out over all visitors is left out."""
    found: list[Counted] = []
    for name, when in audiences.segments.items():
        try:
            found.append(Counted(name, compile_expression(when, VISITORS)))
        except ExpressionError:
            LOG.warning("no best sellers of a segment", extra={"segment": name}, exc_info=True)
    return found


def needed(segments: Sequence[Counted], currency: str) -> list[str]:
    """The statements that make what the segments read of the log."""
    if not segments:
        return []
    kept = "(" + ", ".join(f"'{kind}'" for kind in KEPT) + ")"
    made = [tables_sql.TRAITS.format(kept=kept, currency="".join(filter(str.isalpha, currency)))]
    if any(_reads(segment, "favourite_category") for segment in segments):
        made.append(tables_sql.FAVOURITES.format(kept=kept, newest=MAX_KEPT))
    return made


def store_members(
    engine: Engine, segments: Sequence[Counted], audiences: Audiences, first: int, as_of: int
) -> None:
    """Make the table `members`: the visitors of each segment, whose numbers begin at `first`."""
    numbers: list[IntArray] = [np.empty(0, np.int32)]
    visitors: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    if segments:
        fields = VisitorFields(engine, audiences, as_of)
        env = {"now": now_values(as_of)}
        for number, segment in enumerate(segments, first):
            mask = segment.expression.mask(fields, slice(0, len(fields.visitors)), env)
            own = fields.visitors[mask]
            visitors.append(own)
            numbers.append(np.full(len(own), number, np.int32))
        engine.drop("traits")
    engine.store(
        "members", {"audience": np.concatenate(numbers), "visitor": np.concatenate(visitors)}
    )


class VisitorFields:
    """The traits of all visitors at the time of the build, as columns."""

    def __init__(self, engine: Engine, audiences: Audiences, as_of: int) -> None:
        self._engine = engine
        self._audiences = audiences
        rows = engine.query("SELECT * FROM traits ORDER BY visitor")
        self.visitors = rows["visitor"].astype(np.int64)
        self._numbers: dict[str, FloatArray] = {
            "orders": rows["orders"].astype(np.float64),
            "spend": rows["spend"] / 10 ** exponent(audiences.currency),
            "days_since_seen": _days(rows["last_seen"], as_of),
            "days_since_first_seen": _days(rows["first_seen"], as_of),
            "days_since_order": _days(rows["last_order"], as_of),
        }
        self._words = {"zone": rows["zone"], "device": rows["device"]}
        self._coded: dict[str, Coded] = {}

    def count(self, rows: Rows) -> int:
        """How many rows these are."""
        return rows.stop - rows.start if isinstance(rows, slice) else len(rows)

    def numbers(self, name: str, key: str | None, rows: Rows) -> FloatArray | None:
        """Numbers, NaN where missing."""
        column = self._numbers.get(name)
        return None if column is None else column[rows]

    def texts(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Texts, 0 where missing."""
        if name not in ("zone", "device", "favourite_category"):
            return None
        if name not in self._coded:
            self._coded[name] = self._spelt(name)
        return _of(self._coded[name], rows)

    def flags(self, name: str, key: str | None, rows: Rows) -> ByteArray | None:
        """Everybody in the log is known."""
        return np.ones(self.count(rows), np.int8) if name == "known" else None

    def lists(self, name: str, key: str | None, rows: Rows) -> Coded | None:
        """Lists of texts, 0 where empty."""
        if name != "tags":
            return None
        if name not in self._coded:
            self._coded[name] = self._tags()
        return _of(self._coded[name], rows)

    def _spelt(self, name: str) -> Coded:
        table = Symbols()
        if name != "favourite_category":
            codes = [table.code(word) for word in self._words[name].tolist()]
            return Coded(np.array(codes, np.int32), table)
        rows = self._engine.query("SELECT visitor, category FROM favourites")
        found = np.zeros(len(self.visitors), np.int32)
        codes = [table.code(word) for word in rows["category"].tolist()]
        found[np.searchsorted(self.visitors, rows["visitor"])] = codes
        return Coded(found, table)

    def _tags(self) -> Coded:
        table, codes = Lists(), np.zeros(len(self.visitors), np.int32)
        if self._audiences.tags:
            # Not everybody has traits: some have only seen what they were shown.
            rows = self._engine.query(
                "SELECT v.name, t.visitor FROM traits AS t JOIN visitors AS v "
                "ON v.number = t.visitor"
            )
            at = np.searchsorted(self.visitors, rows["visitor"]).tolist()
            for name, place in zip(rows["name"].tolist(), at, strict=True):
                if tags := self._audiences.tags.get(name):
                    codes[place] = table.code(tuple(sorted(tags)))
        return Coded(codes, table)


def _reads(segment: Counted, name: str) -> bool:
    return any(field == name for _, field, _ in segment.expression.reads)


def _days(moments: npt.NDArray[Any], as_of: int) -> FloatArray:
    days: FloatArray = np.where(moments < 0, np.nan, np.maximum(as_of - moments, 0) / DAY)
    return days


def _of(coded: Coded, rows: Rows) -> Coded:
    return Coded(coded.codes[rows], coded.table)
