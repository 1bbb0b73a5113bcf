"""The checkpoint of the live counters: what a fold of the whole log would hold at `as_of`."""

import numpy as np

from endcap.core.times import DAY
from endcap.relations.counters import LIFETIMES, SIGNALS
from endcap.relations.decayed import STEPS

from .behaviour import TableStep
from .engines.engine import Engine
from .parameters import BuildParameters
from .snapshot_writer import SnapshotWriter

# Who was counted today and yesterday, so that the tail does not count them again.
SEEN = """
SELECT DISTINCT substr(md5(concat_ws('|', v.name, p.id, signal, day)), 1, 16) AS key
FROM (
  SELECT visitor, product, CAST(FLOOR(occurred_at / 86400000.0) AS BIGINT) AS day,
         CASE type WHEN 'cart_add' THEN 1 WHEN 'purchase' THEN 2 ELSE 0 END AS signal
  FROM lines WHERE type IN ('view', 'click', 'cart_add', 'purchase') AND visitor IS NOT NULL
) AS c
JOIN visitors AS v ON v.number = c.visitor
JOIN products AS p ON p.product = c.product
WHERE c.day >= {day}
"""


def counters(
    engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The tables `counters` (one row per zone and product), `counters_seen`, and the zone names."""
    values: dict[str, int | float] = {"as_of": as_of}
    for letter, lifetime in zip("hdwm", LIFETIMES.values(), strict=True):
        values[f"lifetime_{letter}"] = float(lifetime)
        values[f"step_{letter}"] = float(lifetime // STEPS)
    rows = engine.run("counters", values)
    key = rows["zone"].astype(np.int64) * writer.products + rows["product"]
    places, inverse = np.unique(key, return_inverse=True)
    sums = np.zeros((len(LIFETIMES), len(SIGNALS), len(places)))
    for place in range(len(LIFETIMES)):
        sums[place, rows["signal"], inverse] = rows[f"sum_{place}"]
    writer.table(
        "counters",
        {
            "zone": (places // max(1, writer.products)).astype(np.int32),
            "product": (places % max(1, writer.products)).astype(np.int32),
            # Sums are added in any order; in single precision the order does not show.
            "sums": sums.astype(np.float32),
            "landmark": np.array([as_of], np.int64),
        },
    )
    keys = engine.query(SEEN.format(day=as_of // DAY - 1))["key"].tolist()
    seen = np.array(sorted(int(key, 16) for key in keys), np.uint64)
    writer.table("counters_seen", {"key": seen})
    zones = engine.query("SELECT name FROM zones ORDER BY number")["name"].tolist()
    writer.texts("counter_zones", zones)


COUNTERS = (TableStep("live counters", counters),)
