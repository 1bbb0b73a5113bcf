"""Ranking measures over held-out examples, with bootstrap intervals; seeded, so repeatable."""

from typing import Any

import msgspec
import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray, LongArray

RESAMPLES = 1_000


class Measure(msgspec.Struct, frozen=True):
    """A mean over examples with its 95 % bootstrap interval (percentile; Efron 1979)."""

    value: float
    low: float
    high: float


class Collected(msgspec.Struct):
    """What was answered: per example the top rows; and how long each answer took.

    Examples of one `group` (an order that is asked about several times) count together as one.
    """

    k: int
    relevant: list[IntArray] = []
    answered: list[IntArray] = []
    seconds: list[float] = []
    groups: list[int] = []

    def add(
        self, answer: IntArray, relevant: IntArray, seconds: float, group: int | None = None
    ) -> None:
        """Note one example."""
        self.groups.append(len(self.groups) if group is None else group)
        self.answered.append(answer[: self.k])
        self.relevant.append(relevant)
        self.seconds.append(seconds)


def per_example(collected: Collected) -> dict[str, FloatArray]:
    """Each measure of each example.

    HR: is any relevant product in the first k. MRR: 1 / rank of the first. Recall and precision:
    relevant ones found of all relevant, of k. NDCG: with binary gains, ideal = all relevant on
    top. With one relevant product recall is HR.
    """
    k = collected.k
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])
    rows = {name: np.zeros(len(collected.answered)) for name in ("hr", "mrr", "ndcg", "recall")}
    for place, (answer, relevant) in enumerate(
        zip(collected.answered, collected.relevant, strict=True)
    ):
        found = np.flatnonzero(np.isin(answer, relevant))
        if len(found) and len(relevant):
            rows["hr"][place] = 1.0
            rows["mrr"][place] = 1.0 / (1 + found[0])
            rows["ndcg"][place] = discounts[found].sum() / ideal[min(k, len(relevant))]
            rows["recall"][place] = len(found) / len(relevant)
    found_of = rows["recall"] * np.array([len(r) for r in collected.relevant])
    return rows | {"precision": found_of / k}


def interval(values: FloatArray, seed: int = 1) -> Measure:
    """The mean and its interval from resampling examples with replacement."""
    if not len(values):
        return Measure(0.0, 0.0, 0.0)
    # Counts of equal values are resampled together: the same distribution, far fewer numbers.
    levels, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(values), counts / len(values), size=RESAMPLES
    )
    means = drawn @ levels / len(values)
    low, high = np.quantile(means, (0.025, 0.975))
    return Measure(float(values.mean()), float(low), float(high))


def measures(collected: Collected) -> dict[str, Measure]:
    """Every measure with its interval; groups are what is resampled."""
    _, group = np.unique(collected.groups, return_inverse=True)
    sizes = np.maximum(np.bincount(group), 1) if len(group) else np.ones(0)
    return {
        name: interval(np.bincount(group, values) / sizes if len(group) else values)
        for name, values in per_example(collected).items()
    }


def spread_of(collected: Collected, clicks: LongArray) -> dict[str, float]:
    """Coverage and popularity bias.

    `coverage`: part of the catalogue shown at all. `popularity`: mean share of all clicks that
    products with fewer clicks than the shown one have (0.5 would be a random click; 1 the best
    sellers only). `popularity_of_relevant` is the same of what was wanted.
    """
    shown = np.concatenate(collected.answered) if collected.answered else np.empty(0, np.int32)
    wanted = np.concatenate(collected.relevant) if collected.relevant else shown
    order = np.argsort(clicks, kind="stable")
    below = np.empty(len(clicks))
    total = max(1, int(clicks.sum()))
    below[order] = (np.cumsum(clicks[order]) - clicks[order] / 2) / total
    return {
        "coverage": len(np.unique(shown)) / max(1, len(clicks)),
        "popularity": float(below[shown].mean()) if len(shown) else 0.0,
        "popularity_of_relevant": float(below[wanted].mean()) if len(wanted) else 0.0,
    }


def latency(collected: Collected) -> dict[str, float]:
    """Milliseconds per answer of the request path, without HTTP."""
    if not collected.seconds:
        return {}
    found = np.quantile(collected.seconds, (0.5, 0.9, 0.99)) * 1e3
    return {
        "mean_ms": float(np.mean(collected.seconds) * 1e3),
        **{f"p{q}_ms": float(v) for q, v in zip((50, 90, 99), found, strict=True)},
    }


def rounded(value: Any, digits: int = 5) -> Any:
    """The same data with its floats rounded, for printing."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    return value
