"""The result of an evaluation: as data, as a table, and as a picture."""

from typing import Any
from xml.sax.saxutils import escape

import msgspec

from endcap.catalog.arrays import LongArray

from .measures import Collected, Measure, latency, measures, per_example, spread_of


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on what. `measures` are named like `HR@20`; parts of 1, not per cent."""

    protocol: dict[str, Any]
    examples: int
    measures: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    spread: dict[str, float]
    latency: dict[str, float]
    hits_by_rank: list[int]


def evaluation(collected: Collected, clicks: LongArray, protocol: dict[str, Any]) -> Evaluation:
    """Every measure of the answers; `clicks` per catalogue row tell how popular products are."""
    found = {_title(name, collected.k): m for name, m in measures(collected).items()}
    ranks = per_example(collected)["mrr"]
    by_rank = [int((abs(ranks * rank - 1.0) < 1e-9).sum()) for rank in range(1, collected.k + 1)]
    return Evaluation(
        protocol=protocol,
        examples=len(collected.answered),
        measures={name: round(m.value, 5) for name, m in found.items()},
        intervals={name: (round(m.low, 5), round(m.high, 5)) for name, m in found.items()},
        spread={name: round(v, 5) for name, v in spread_of(collected, clicks).items()},
        latency={name: round(v, 4) for name, v in latency(collected).items()},
        hits_by_rank=by_rank,
    )


def table(made: Evaluation) -> str:
    """The result for a terminal."""
    rows = [f"{made.examples:,} examples", ""]
    for name, value in made.measures.items():
        low, high = made.intervals[name]
        rows.append(f"  {name:<14}{value:>8.4f}   {low:.4f} to {high:.4f}")
    rows.append("")
    for name, value in (made.spread | made.latency).items():
        rows.append(f"  {name:<24}{value:>10.4f}")
    return "\n".join(rows)


def picture(made: Evaluation) -> str:
    """How many examples were answered within the first 1, 2 … k, as an SVG line."""
    width, height, edge = 640, 320, 48
    total, reached = max(1, made.examples), 0
    shares = [(reached := reached + hits) / total for hits in made.hits_by_rank]
    top = max([*shares, 0.01])
    step = (width - 2 * edge) / max(1, len(shares) - 1)
    points = " ".join(
        f"{edge + n * step:.1f},{height - edge - s / top * (height - 2 * edge):.1f}"
        for n, s in enumerate(shares)
    )
    title = escape(", ".join(f"{k} {v}" for k, v in made.protocol.items() if v))
    labels = "".join(
        f'<text x="{edge + (rank - 1) * step:.1f}" y="{height - edge + 18}">{rank}</text>'
        for rank in (1, 5, 10, 20, 50, 100)
        if rank <= len(shares)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" role="img">'
        f"<title>{title}</title>"
        f'<text x="{edge}" y="20">Hit rate within the first n: {title}</text>'
        f'<text x="4" y="{edge + 4}">{top:.3f}</text><text x="4" y="{height - edge}">0</text>'
        f'<path d="M{edge} {edge}V{height - edge}H{width - edge}" fill="none" stroke="#888"/>'
        f'<polyline points="{points}" fill="none" stroke="#0b6" stroke-width="2"/>{labels}</svg>\n'
    )


def _title(name: str, k: int) -> str:
    return f"{name.upper() if name in ('hr', 'mrr', 'ndcg') else name.capitalize()}@{k}"


__all__ = ["Evaluation", "Measure", "evaluation", "picture", "table"]
