"""How a draft that was not shown would have done, as far as that can be seen."""

from endcap.core.shadow import ShadowFigures, ShadowQuestion
from endcap.core.times import HOUR, format_time

from .live import LiveRollups

# What the visitor did after the slate: clicks on any slate, carts and purchases.
_FIGURES = """
WITH s AS (
    SELECT * FROM shadows
    WHERE placement = $placement AND version = $version AND served_at >= $since
), did AS (
    SELECT s.token, t.product, false AS bought
    FROM s JOIN touches AS t ON t.visitor = s.visitor AND t.kind = 'click'
     AND t.touched_at BETWEEN s.served_at AND s.served_at + $within
    WHERE s.visitor <> ''
    UNION ALL
    SELECT s.token, l.product, l.kind = 'purchase'
    FROM s JOIN sales AS l ON l.visitor = s.visitor AND l.kind IN ('cart_add', 'purchase')
     AND l.occurred_at BETWEEN s.served_at AND s.served_at + $within
    WHERE s.visitor <> ''
), wanted AS (
    SELECT token, list(DISTINCT product) AS products,
           list(DISTINCT product) FILTER (bought) AS bought
    FROM did GROUP BY token
)
SELECT count(*), count(*) FILTER (drafted = shown),
       avg(len(list_intersect(drafted, shown)) / greatest(len(drafted), len(shown), 1)),
       count(*) FILTER (w.products IS NOT NULL),
       count(*) FILTER (list_has_any(shown, w.products)),
       count(*) FILTER (list_has_any(drafted, w.products)),
       count(*) FILTER (len(w.bought) > 0),
       count(*) FILTER (list_has_any(shown, w.bought)),
       count(*) FILTER (list_has_any(drafted, w.bought)),
       quantile_disc(micros, 0.5) / 1000, quantile_disc(micros, 0.99) / 1000
FROM s LEFT JOIN wanted AS w ON w.token = s.token
"""


def shadow_figures(rollups: LiveRollups, question: ShadowQuestion) -> ShadowFigures:
    """The figures of one shadow."""
    with rollups.open() as (database, fresh):
        row = database.execute(
            _FIGURES,
            {
                "placement": question.placement,
                "version": str(question.version),
                "since": question.since,
                "within": int(question.hours * HOUR),
            },
        ).fetchone()
    assert row is not None
    return ShadowFigures(
        slates=row[0],
        same=row[1],
        overlap=None if row[2] is None else round(row[2], 6),
        wanted=row[3],
        shown_hits=row[4],
        shadow_hits=row[5],
        bought=row[6],
        shown_bought=row[7],
        shadow_bought=row[8],
        p50_ms=row[9],
        p99_ms=row[10],
        as_of=format_time(fresh.at),
    )
