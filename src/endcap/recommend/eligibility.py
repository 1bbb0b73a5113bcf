"""Which products may be shown to this request, as one mask, and what removed the others."""

import numpy as np

from endcap.catalog.arrays import BoolArray, IntArray

from .merchandising import RequestRules
from .plan import Plan
from .query import Query, State


class Eligibility:
    """The mask of one request: live, not what the request is about, in the category, filtered.

    `blocked` is a row of flags that is all false on entry and must be given back so: use it as a
    context manager.
    """

    def __init__(
        self,
        plan: Plan,
        query: Query,
        state: State,
        blocked: BoolArray,
        rules: RequestRules | None = None,
    ) -> None:
        self._rules = rules
        self._plan = plan
        self._query = query
        self._state = state
        self._blocked = blocked
        self._set = [r for r in (query.seeds, query.excluded, query.taken) if len(r)]

    def __enter__(self) -> "Eligibility":
        for rows in self._set:
            self._blocked[rows] = True
        return self

    def __exit__(self, *_: object) -> None:
        for rows in self._set:
            self._blocked[rows] = False

    def __call__(self, rows: IntArray) -> BoolArray:
        """Which of the rows may be shown."""
        columns = self._state.columns
        mask: BoolArray = columns.alive[rows]
        if self._set:
            mask &= ~self._blocked[rows]
        if self._query.category is not None:
            mask &= columns.in_category(rows, self._query.category)
        for named in (*self._plan.filters, *self._query.filters):
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
