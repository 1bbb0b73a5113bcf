"""Ordered co-occurrence within sessions, with decay by distance: which product follows which.

For clicks x and y of one session, `gap` places apart (1 to `reach`), x -> y counts 1 / gap^fade
and y -> x `backward` times that; a session of age a (in sessions, of N) counts
exp(-a / (recency * N)). The weight of a partner is divided by its number of clicks to the power of
`niche`, each product's partners are cut to the best `partners` and made to sum to 1.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from endcap.catalog.arrays import LongArray

from .engines.engine import Engine
from .parameters import Following
from .sessions import Arrays
from .stretches import offsets_of, run_placed, stretches


def follow(
    engine: Engine, first: int, clicks: LongArray, kinds: Mapping[str, Following]
) -> Iterator[tuple[str, Arrays]]:
    """Per kind `offsets`, `partner`, `weight` and `times`.

    Reads the table `clicks`, sessions from `first`; `clicks` counts those of each product.
    """
    reach = max((kind.reach for kind in kinds.values()), default=1)
    engine.table("steps", "steps", {"reach": reach, "first_session": first})
    engine.table("clicked", "clicked", {"first_session": first})
    last = engine.number("SELECT MAX(session) FROM clicks")
    for name, kind in kinds.items():
        values = {
            "reach": kind.reach,
            "fade": kind.fade,
            "backward": kind.backward,
            "niche": kind.niche,
            "partners": kind.partners,
            "lifetime": max(1e-9, kind.recency * (last + 1 - first)),
            "last_session": last,
        }
        engine.table("step_weights", "step_weights", values)
        rows = 2 * engine.number("SELECT COUNT(*) FROM step_weights")
        found = run_placed(engine, "followed", values, stretches(clicks, rows))
        engine.drop("step_weights")
        yield name, _normalised(found, len(clicks))
    for table in ("steps", "clicked"):
        engine.drop(table)


def _normalised(found: Arrays, products: int) -> Arrays:
    """Rows of the kernel as stored: each product's weights sum to 1."""
    offsets = offsets_of(found["a"], products)
    totals = np.bincount(found["a"], found["weight"], products)
    return {
        "offsets": offsets,
        "partner": found["b"].astype(np.int32, copy=False),
        "weight": (found["weight"] / totals[found["a"]]).astype(np.float32),
        "times": found["times"].astype(np.int32, copy=False),
    }
