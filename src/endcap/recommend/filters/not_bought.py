"""Removes what the visitor bought in the last 30 days."""

from endcap.catalog.arrays import BoolArray, IntArray, absent
from endcap.recommend.query import Query, State
from endcap.recommend.stages import Filter


class NotBought(Filter, frozen=True, kw_only=True):
    """A product bought long ago may come back."""

    def removed(self, query: Query) -> IntArray:
        """Those rows."""
        return query.bought

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Rows that were not bought lately."""
        return absent(rows, query.bought)

    def explain(self, row: int, query: Query, state: State) -> str:
        """It was bought lately."""
        return "the visitor bought it in the last 30 days"
