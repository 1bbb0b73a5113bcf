"""Searching a placement's parameters on held-out days: successive halving, seeded.

Candidates are the placement with its weights and numeric options multiplied at random. All answer
a small part of the examples, the better half goes on to twice as many (Jamieson & Talwalkar 2016),
and so on. Selection uses every second example only; the gain is measured on the others, pairwise,
so that the winner's luck in the selection does not count.
"""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from endcap.catalog.arrays import FloatArray
from endcap.core.placement import Placement

from .measures import Measure, interval

# What is multiplied, by how much at most, and what is left alone.
WEIGHT_FACTOR, OPTION_FACTOR = 4.0, 2.0
Answer = Callable[[Placement, int, int], FloatArray]
"""Scores a placement: one number per example of half `half` (0 or 1), of at most `limit`."""


class Trial(msgspec.Struct, frozen=True):
    """A candidate and its mean score in the last round it reached; `number` 0 is the placement."""

    number: int
    examples: int
    score: float


class Tuned(msgspec.Struct, frozen=True):
    """The best candidate and what it gains over the placement, on examples not used to find it."""

    placement: Placement
    number: int
    before: float
    after: float
    gain: Measure
    examples: int
    trials: list[Trial]

    @property
    def better(self) -> bool:
        """Is the gain above 0 with its whole interval?"""
        return self.gain.low > 0


def search(
    placement: Placement,
    options: Callable[[str], dict[str, float]],
    answer: Answer,
    candidates: int,
    seed: int,
    tick: Callable[[str, float], None],
) -> Tuned:
    """Find the best of `candidates` variations; `options` gives a retriever's numeric options with
    their defaults."""
    draw = np.random.default_rng(seed)
    tried = [placement] + [_varied(placement, options, draw) for _ in range(candidates - 1)]
    alive = list(range(len(tried)))
    rounds = max(1, math.ceil(math.log2(len(tried))))
    total = len(answer(placement, 0, 1_000_000_000))
    limit = max(50, total // 2 ** (rounds - 1))
    trials: list[Trial] = []
    for number in range(rounds):
        scores = {}
        for place, at in enumerate(alive):
            found = answer(tried[at], 0, limit)
            scores[at] = float(found.mean()) if len(found) else 0.0
            trials.append(Trial(at, len(found), scores[at]))
            tick(f"round {number + 1} of {rounds}", (number + place / len(alive)) / rounds)
        # The earlier of two that are alike; the placement itself is the earliest.
        alive = sorted(alive, key=lambda at: (-scores[at], at))[: max(1, len(alive) // 2)]
        limit *= 2
    best = alive[0]
    before, after = answer(placement, 1, 1_000_000_000), answer(tried[best], 1, 1_000_000_000)
    tick("measuring the gain", 1.0)
    return Tuned(
        placement=tried[best],
        number=best,
        before=float(before.mean()) if len(before) else 0.0,
        after=float(after.mean()) if len(after) else 0.0,
        gain=interval(after - before, seed),
        examples=len(before),
        trials=trials,
    )


def _varied(
    placement: Placement, options: Callable[[str], dict[str, float]], draw: np.random.Generator
) -> Placement:
    return msgspec.structs.replace(
        placement, strategies=[_variation(entry, options, draw) for entry in placement.strategies]
    )


def _variation(
    entry: dict[str, Any], options: Callable[[str], dict[str, float]], draw: np.random.Generator
) -> dict[str, Any]:
    varied = dict(entry)
    weight = float(entry.get("weight", 1.0)) * WEIGHT_FACTOR ** float(draw.uniform(-1, 1))
    varied["weight"] = float(f"{min(100.0, weight):.3g}")
    for name, default in options(str(entry["retriever"])).items():
        value = float(entry.get(name, default))
        varied[name] = float(f"{value * OPTION_FACTOR ** float(draw.uniform(-1, 1)):.3g}")
    return varied
