"""Removes what the visitor ever bought, as far back as is known."""

from endcap.catalog.arrays import BoolArray, IntArray, absent
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class NotOwned(Filter, frozen=True, kw_only=True):
    """For things one buys once; `not_bought` lets a product come back after 30 days."""

    def removed(self, query: Query) -> IntArray:
        """Those rows."""
        return query.owned

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that were never bought."""
        return absent(rows, query.owned)

    def explain(self, row: int, query: Query, state: State) -> str:
        """It was bought before."""
        return "the visitor bought it before"
