"""A picture without a plotting library: cores against events a day, both logarithmic."""

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 400, 60, 50, 20, 190
COLOURS = ("#1f6feb", "#1a7f37", "#9a6700", "#8250df")


class Curve(NamedTuple):
    """Points (events a day, cores)."""

    name: str
    points: Sequence[tuple[float, float]]


def picture(title: str, curves: Sequence[Curve], x: tuple[int, int], y: tuple[int, int]) -> str:
    """An SVG; `x` and `y` are the powers of ten that the axes begin and end with."""

    def place(a: float, b: float) -> tuple[float, float]:
        across = (math.log10(a) - x[0]) / (x[1] - x[0])
        up = (math.log10(max(b, 10 ** y[0])) - y[0]) / (y[1] - y[0])
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    ]
    for power in range(x[0], x[1] + 1):
        a, b = place(10**power, 10 ** y[0])
        parts.append(_line((a, b), (a, TOP)) + _text(a, b + 18, _short(10**power), "middle"))
    for power in range(y[0], y[1] + 1):
        a, b = place(10 ** x[0], 10.0**power)
        parts.append(_line((a, b), (WIDTH - RIGHT, b)) + _text(a - 6, b + 4, _short(10**power)))
    for curve, colour in zip(curves, COLOURS, strict=False):
        line = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in curve.points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        a, b = place(*curve.points[-1])
        parts.append(_text(a + 6, b + 4, curve.name, "start", colour))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 12, "events a day", "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _line(a: tuple[float, float], b: tuple[float, float]) -> str:
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="#d0d7de"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "end", fill: str = "#1f2328") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{text}</text>'


def _short(value: float) -> str:
    for size, unit in ((1e9, " bn"), (1e6, " m"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.0f}{unit}"
    return f"{value:g}"
