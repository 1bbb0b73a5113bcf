"""What is wanted more than usual: products, brands and categories."""

from endcap.core.status import TrendView
from endcap.core.times import DAY, HOUR, Clock
from endcap.recommend.query import State

from .live import LiveState

KINDS = ("products", "categories", "brands")


class TrendService:
    """Answers from the snapshot's baseline and the live counters."""

    def __init__(self, live: LiveState, clock: Clock) -> None:
        self._live = live
        self._clock = clock

    def trends(self, shop: str, kind: str, count: int) -> list[TrendView]:
        """The first `count` by falling growth; empty while the log is too young for a baseline.

        Products that cannot be sold now are left out.
        """
        state, now = self._live.state(shop), self._clock()
        if kind == "products":
            return self._products(state, now, count)
        trends = state.joined.trends
        hours, days = trends.stretch / HOUR, trends.stretches * trends.stretch / DAY
        return [
            TrendView(
                one.name,
                one.name.rpartition(" > ")[2],
                round(one.recent, 2),
                round(one.usual, 2),
                round(one.growth, 2),
                hours,
                days,
            )
            for one in trends.facets(kind, state.counters, now)[:count]
        ]

    def _products(self, state: State, now: int, count: int) -> list[TrendView]:
        trends, columns = state.joined.trends, state.columns
        rows = trends.ranked(state.counters, now)
        rows = rows[columns.alive[rows] & columns.sellable[rows]][:count]
        measured = trends.measured(rows, state.counters, now)
        return [
            TrendView(
                columns.ids[row],
                state.cards.title(row),
                round(float(measured.recent[at]), 2),
                round(float(measured.usual[at]), 2),
                round(float(measured.growth[at]), 2),
                trends.stretch / HOUR,
                trends.stretches * trends.stretch / DAY,
            )
            for at, row in enumerate(rows.tolist())
        ]
