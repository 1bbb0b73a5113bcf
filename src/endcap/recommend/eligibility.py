"""Which products may be shown to this request, as one mask, and what removed the others."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray

from .merchandising import RequestRules
from .plan import Plan
from .query import Query, State
from .stages import NamedFilter
from .standing import Standing


class Eligibility:
    """The mask of one request: live, not what the request is about, in the category, filtered.

    Use it as a context manager: inside, it has the flags of `standing` for itself.
    """

    def __init__(
        self,
        plan: Plan,
        query: Query,
        state: State,
        standing: Standing,
        rules: RequestRules | None = None,
    ) -> None:
        self._rules = rules
        self._plan = plan
        self._query = query
        self._state = state
        blocked = [query.seeds, query.excluded, query.taken]
        kept: list[NamedFilter] = []
        self._asked: list[NamedFilter] = []
        for named in (*plan.filters, *query.filters):
            removed = named.filter.removed(query)
            if removed is not None:
                blocked.append(removed)
            else:
                (kept if named.filter.standing else self._asked).append(named)
        self._flags = standing.flags(tuple(kept), query, state)
        self._blocked = [rows for rows in blocked if len(rows)]
        self._before: list[BoolArray] = []

    def __enter__(self) -> "Eligibility":
        for rows in self._blocked:
            self._before.append(self._flags[rows])
            self._flags[rows] = False
        return self

    def __exit__(self, *_: object) -> None:
        # The last first: a row may be blocked twice.
        for rows in reversed(self._blocked):
            self._flags[rows] = self._before.pop()

    def __call__(self, rows: IntArray) -> BoolArray:
        """Which of the rows may be shown."""
        mask: BoolArray = self._flags[rows]
        if self._query.category is not None:
            mask &= self._state.columns.in_category(rows, self._query.category)
        for named in self._asked:
            mask &= named.filter.keep(rows, self._query, self._state)
        return mask if self._rules is None else self._rules.keep(rows, mask)

    def why_not(self, row: int) -> str | None:
        """What removes this row first, in words; None when it may be shown."""
        query, columns = self._query, self._state.columns
        one = np.array([row], np.int32)
        if not columns.alive[row]:
            return "deleted: the product is no longer in the catalogue"
        for name, rows in (
            ("seed: the request is about it", query.seeds),
            ("excluded: the request excludes it", query.excluded),
            ("distinct: it is already on the page", query.taken),
        ):
            if row in rows:
                return name
        if query.category is not None and not columns.in_category(one, query.category)[0]:
            return f"category: it is not in `{query.category}`"
        for named in (*self._plan.filters, *query.filters):
            if not named.filter.keep(one, query, self._state)[0]:
                return f"{named.name}: {named.filter.explain(row, query, self._state)}"
        rule = self._rules.removed_by(row) if self._rules is not None else None
        return f"{rule.label}: {rule.about or 'a rule leaves it out'}" if rule else None
