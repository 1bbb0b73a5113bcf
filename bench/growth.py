"""`./run bench growth`: cost by size of the catalogue and of the log, as a table and a picture.

For each size it runs the benches of recommending, memory and building (each in its own process) and
reads their JSON. `docs/growth.svg` is drawn from the figures, relative to the smallest size.
"""

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

from measure.processes import ROOT
from measure.report import OUT, report

SIZES = ((10_000, 1_000_000), (100_000, 1_000_000), (1_000_000, 1_000_000), (1_000_000, 10_000_000))
FIGURES = ("requests/s", "of empty", "CPU µs", "p99 ms", "own MB", "ready CPU s", "build CPU s")
LINES = (
    ("CPU µs", "#1f77b4"),
    ("p99 ms", "#d62728"),
    ("own MB", "#2ca02c"),
    ("build CPU s", "#9467bd"),
)


def main() -> None:
    options = _options()
    rows = [_row(products, events, options) for products, events in options.sizes]
    columns = ("products / events", *FIGURES)
    report("growth", "Cost by size", columns, rows)
    figures = [dict(zip(columns, row, strict=True)) for row in rows]
    options.svg.write_text(picture(figures), "utf-8")


def _row(products: int, events: int, options: argparse.Namespace) -> tuple[Any, ...]:
    size = ["--products", str(products), "--events", str(events)]
    build = _ran("build", [f"{products}/{events}"], "build")[0]
    recommend = _ran(
        "recommend",
        [*size, "--rounds", str(options.rounds), "--seconds", str(options.seconds)],
        f"recommend-{products}-{events}",
    )
    memory = _ran("memory", [*size, "--rounds", "2"], f"memory-{products}-{events}")
    return (
        f"{products:,} / {events:,}",
        recommend[1]["requests/s"],
        recommend[2]["requests/s"],
        recommend[1]["CPU µs"],
        recommend[1]["paced p99"],
        memory[1]["own"],
        memory[-1]["RSS"],
        build["CPU s"],
    )


def _ran(name: str, arguments: list[str], result: str) -> list[dict[str, Any]]:
    subprocess.run([sys.executable, str(ROOT / "bench" / f"{name}.py"), *arguments], check=True)
    rows: list[dict[str, Any]] = json.loads((OUT / f"{result}.json").read_text())["rows"]
    return rows


def picture(figures: list[dict[str, Any]]) -> str:
    """Each figure as a multiple of its value at the smallest size, on a log scale."""
    names = [str(one["products / events"]) for one in figures]
    step, high = 560 / max(1, len(names) - 1), 300
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Cost by size, relative to the smallest">',
        '<rect width="760" height="400" fill="white"/>',
    ]
    for power in range(-1, 4):
        y = _y(10.0**power, high)
        parts.append(f'<path d="M70 {y:.0f}H640" stroke="#ddd"/>')
        parts.append(f'<text x="62" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g} ×</text>')
    for place, name in enumerate(names):
        x = 75 + place * step
        parts.append(f'<text x="{x:.0f}" y="370" text-anchor="middle">{name}</text>')
    for line, (name, colour) in enumerate(LINES):
        first = float(figures[0][name])
        spots = [
            (75 + place * step, _y(float(one[name]) / first, high))
            for place, one in enumerate(figures)
        ]
        way = " ".join(f"{x:.0f},{y:.0f}" for x, y in spots)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in spots]
        y = 40 + 20 * line
        parts.append(f'<text x="655" y="{y}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _y(value: float, high: int) -> float:
    return 20 + high * (3 - math.log10(max(value, 0.1))) / 4


def _size(text: str) -> tuple[int, int]:
    products, _, events = text.partition("/")
    return int(products), int(events)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=_size, default=list(SIZES), help="PRODUCTS/EVENTS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--svg", type=Path, default=ROOT / "docs" / "growth.svg")
    return parser.parse_args()


if __name__ == "__main__":
    main()
