"""How the visitors of an interleaving chose, from the rollups.

Lines of a mixed slate are kept under the team that put them there, so clicks and sales are too.
"""

from typing import Any

import duckdb

from endcap.core.times import DAY
from endcap.core.trial import Preferences, TrialQuestion

from .live import LiveRollups

_CLICKS = (
    "FROM touches WHERE kind = 'click' AND visitor <> '' AND experiment = $experiment "
    "AND touched_at >= $start AND touched_at < $until"
)
_CHOSE = f"""
WITH chose AS (
    SELECT count(*) FILTER (variant = $one) AS one, count(*) FILTER (variant = $other) AS other
    {_CLICKS} GROUP BY visitor
)
SELECT count(*) FILTER (one > other), count(*) FILTER (other > one), count(*) FILTER (one = other)
FROM chose
"""
_TEAMS = """
SELECT variant, sum(served)::BIGINT AS served, sum(seen)::BIGINT AS seen,
       sum(clicked)::BIGINT AS clicked, coalesce(any_value(carted), 0) AS carted,
       coalesce(any_value(bought), 0) AS bought, coalesce(any_value(revenue), 0) AS revenue_minor
FROM shown LEFT JOIN (
    SELECT variant, count(*) FILTER (kind = 'cart_add') AS carted,
           count(*) FILTER (kind = 'purchase') AS bought,
           sum(amount_minor) FILTER (kind <> 'cart_add' AND currency = $currency)::BIGINT AS revenue
    FROM credits WHERE last AND experiment = $experiment AND occurred_at >= $start
      AND occurred_at < $until
    GROUP BY variant
) USING (variant)
WHERE experiment = $experiment AND day >= make_timestamp($start * 1000)::DATE
  AND day <= make_timestamp(($until - 1) * 1000)::DATE
GROUP BY variant
"""
_MET = """
SELECT count(DISTINCT visitor) FROM visitors
WHERE experiment = $experiment AND first_served >= $start AND first_served < $until
"""


def preferences(rollups: LiveRollups, question: TrialQuestion) -> Preferences:
    """Wins per team, over visitors; `per_variant` is the number of clicking visitors planned.

    Once the plan is reached, later clicks are left out, so that the test for a fixed size is read
    at one moment only.
    """
    with rollups.open() as (database, fresh):
        until, reached = _until(database, question)
        values: dict[str, Any] = {
            "experiment": question.name,
            "start": question.start,
            "until": until,
        }
        one, other = question.variants
        chose = database.execute(_CHOSE, values | {"one": one, "other": other}).fetchone()
        cursor = database.execute(_TEAMS, values | {"currency": question.currency})
        names = [column[0] for column in cursor.description or []]
        teams = {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
        met = database.execute(_MET, values).fetchone()
    assert chose is not None and met is not None
    nothing = dict.fromkeys(names[1:], 0)
    return Preferences(
        wins=(chose[0], chose[1]),
        ties=chose[2],
        teams=[teams.get(name, {"variant": name, **nothing}) for name in question.variants],
        visitors=met[0],
        until=until,
        reached=reached,
        as_of=fresh.at,
    )


def _until(database: duckdb.DuckDBPyConnection, question: TrialQuestion) -> tuple[int, bool]:
    """Where the data ends, and whether the plan is reached."""
    row = database.execute(
        f"SELECT min(touched_at) AS first {_CLICKS} GROUP BY visitor "
        f"ORDER BY first LIMIT 1 OFFSET {max(0, question.per_variant - 1)}",
        {"experiment": question.name, "start": question.start, "until": question.until},
    ).fetchone()
    if row is None:
        return question.until, False
    reached = max(question.start + question.days * DAY, row[0] + 1)
    return (reached, True) if reached <= question.until else (question.until, False)
