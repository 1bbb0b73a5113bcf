"""Reports: questions checked, answered on a thread."""

import asyncio
import datetime
from collections.abc import Callable
from typing import Protocol

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.money import is_currency
from endcap.core.report import (
    DIMENSIONS,
    MAX_ROWS,
    PRODUCT_DIMENSIONS,
    Report,
    ReportQuestion,
    RuleEffect,
)
from endcap.core.times import DAY, Clock, format_time

MAX_GROUPS = 3
DEFAULT_DAYS = 28


class ReportSource(Protocol):
    """Computes reports; blocking."""

    def report(self, question: ReportQuestion) -> Report:
        """The report."""

    def parquet(self, question: ReportQuestion) -> bytes:
        """Its rows as a Parquet file."""

    def effects(self, first: str, last: str) -> list[RuleEffect]:
        """What rules did for the slots they touched."""


class ReportService:
    """Answers report questions; `source` gives a shop's reports."""

    def __init__(
        self, source: Callable[[str], ReportSource], clock: Clock, currency: str, window: int
    ) -> None:
        self._source = source
        self._clock = clock
        self._currency = currency
        self._window = window

    async def performance(self, shop: str, question: ReportQuestion) -> Report:
        """What was shown, clicked and sold. Raises InvalidInput."""
        return await asyncio.to_thread(self._source(shop).report, self.checked(question))

    async def parquet(self, shop: str, question: ReportQuestion) -> bytes:
        """The rows of the same report as Parquet. Raises InvalidInput."""
        return await asyncio.to_thread(self._source(shop).parquet, self.checked(question))

    async def effects(self, shop: str, question: ReportQuestion) -> list[RuleEffect]:
        """What rules did, in the question's days. Raises InvalidInput."""
        asked = self.checked(question)
        return await asyncio.to_thread(self._source(shop).effects, asked.first, asked.last)

    def question(self, group_by: tuple[str, ...] = ("placement",)) -> ReportQuestion:
        """The usual question: the last 28 days, the configured window, the shop's currency."""
        now = self._clock()
        return ReportQuestion(
            group_by=group_by,
            first=format_time(now - (DEFAULT_DAYS - 1) * DAY)[:10],
            last=format_time(now)[:10],
            filters={},
            window=self._window,
            currency=self._currency,
        )

    def checked(self, question: ReportQuestion) -> ReportQuestion:
        """The question, when it can be answered. Raises InvalidInput with every problem."""
        problems = _names(question)
        first = _day(question.first, "/query/from", problems)
        last = _day(question.last, "/query/to", problems)
        if first and last and first > last:
            problems.append(FieldProblem("/query/from", "out_of_range", "is after `to`"))
        if not 1 <= question.window <= self._window:
            text = f"must be 1 to {self._window}, the window that credit is kept for"
            problems.append(FieldProblem("/query/window", "out_of_range", text))
        if question.model not in ("last", "any"):
            problems.append(FieldProblem("/query/model", "not_allowed", "must be last or any"))
        if not 1 <= question.limit <= MAX_ROWS:
            problems.append(
                FieldProblem("/query/limit", "out_of_range", f"must be 1 to {MAX_ROWS:,}")
            )
        if not is_currency(question.currency):
            problems.append(FieldProblem("/query/currency", "invalid", "must be like EUR"))
        if problems:
            raise InvalidInput("the report cannot be made", problems)
        return question


def _day(text: str, pointer: str, problems: list[FieldProblem]) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        problems.append(FieldProblem(pointer, "invalid", "must be a date like 2026-01-31"))
        return None


def _names(question: ReportQuestion) -> list[FieldProblem]:
    problems = []
    if len(question.group_by) > MAX_GROUPS or len(set(question.group_by)) < len(question.group_by):
        text = f"takes up to {MAX_GROUPS} different names"
        problems.append(FieldProblem("/query/group_by", "out_of_range", text))
    for name in (*question.group_by, *question.filters):
        if name not in DIMENSIONS:
            text = f"`{name[:50]}` is none of {', '.join(DIMENSIONS)}"
            problems.append(FieldProblem("/query/group_by", "not_allowed", text))
    wanted = {*question.group_by, *question.filters}
    if "product" in wanted and not wanted <= PRODUCT_DIMENSIONS:
        text = f"products are counted by {', '.join(sorted(PRODUCT_DIMENSIONS))} only"
        problems.append(FieldProblem("/query/group_by", "not_allowed", text))
    return problems
