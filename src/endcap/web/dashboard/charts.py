"""Charts as SVG, drawn on the server: no script, colours from the style sheet, a text for readers.

Every function takes numbers and gives markup; widths are those of a view box and stretch with the
page.
"""

import datetime
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 56, 24, 12
BAR = {"class": "bar"}


class Marker(NamedTuple):
    """Something that happened: where on the line (an index), and what."""

    at: int
    text: str


def line(
    values: Sequence[float],
    labels: Sequence[str],
    about: str,
    markers: Sequence[Marker | dict[str, Any]] = (),
    unit: str = "",
) -> Markup:
    """A line over time with an axis, the last value marked."""
    if len(values) < 2:
        return Markup('<p class="empty">{}</p>').format("Not enough days to draw yet.")
    top = nice(max([*values, 0]))
    step = (WIDTH - LEFT - 8) / (len(values) - 1)
    points = [(LEFT + n * step, _y(value, top)) for n, value in enumerate(values)]
    path = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    area = f"{path} L{points[-1][0]:.1f},{HEIGHT - BOTTOM} L{LEFT},{HEIGHT - BOTTOM} Z"
    parts = [_grid(top, unit), _tag("path", d=area, **{"class": "area"})]
    parts.append(_tag("path", d=path, **{"class": "stroke"}))
    for marker in map(_marker, markers):
        if 0 <= marker.at < len(points):
            x = points[marker.at][0]
            mark = _tag("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, **{"class": "marker"})
            parts.append(Markup("<g>{}<title>{}</title></g>").format(mark, marker.text))
    x, y = points[-1]
    parts.append(_tag("circle", cx=x, cy=y, r=4, **{"class": "dot"}))
    for n in sorted({0, len(labels) // 2, len(labels) - 1}):
        anchor = "start" if n == 0 else "end" if n == len(labels) - 1 else "middle"
        parts.append(_text(points[n][0], HEIGHT - 6, labels[n], anchor))
    return _svg(Markup("").join(parts), about)


def bars(rows: Sequence[tuple[str, float]], about: str, unit: str = "") -> Markup:
    """Horizontal bars with their values, longest scale first come first drawn."""
    if not rows:
        return Markup('<p class="empty">{}</p>').format("Nothing to show yet.")
    top = max([value for _, value in rows] + [1e-12])
    parts = []
    for n, (name, value) in enumerate(rows):
        y = 6 + n * 26
        width = max(1.0, value / top * (WIDTH - 330))
        parts.append(_text(170, y + 14, _short(name), "end"))
        parts.append(_tag("rect", x=180, y=y, width=width, height=18, rx=3, **{"class": "bar"}))
        parts.append(_text(186 + width, y + 14, f"{_number(value)}{unit}", "start"))
    return _svg(Markup("").join(parts), about, 12 + 26 * len(rows))


def funnel(steps: Sequence[tuple[str, float]], about: str) -> Markup:
    """Steps that follow one another, each with its share of the one before it."""
    rows, before = [], 0.0
    for name, value in steps:
        share = f", {value / before:.1%}" if before else ""
        rows.append((f"{name}{share}", value))
        before = value
    return bars([(name, value) for name, value in rows], about)


def band(points: Sequence[tuple[str, float, float, float]], about: str) -> Markup:
    """A line of shares over time in its band, around zero: label, low, middle, high.

    Points whose band is not known yet are left out.
    """
    known = [p for p in points if all(math.isfinite(v) for v in p[1:])]
    if len(known) < 2:
        return Markup('<p class="empty">{}</p>').format("Not enough days to draw yet.")
    # A wide band is cut off at the edge, the line in it never.
    widest = max(abs(v) for _, *values in known for v in values)
    reach = nice(min(widest, max(0.05, 2 * max(abs(p[2]) for p in known))))
    step = (WIDTH - LEFT - 8) / (len(known) - 1)
    middle = (HEIGHT - BOTTOM + TOP) / 2
    scale = (HEIGHT - BOTTOM - TOP) / 2 / reach

    def at(n: int, value: float) -> str:
        return f"{LEFT + n * step:.1f},{middle - max(-reach, min(reach, value)) * scale:.1f}"

    upper = [at(n, p[3]) for n, p in enumerate(known)]
    lower = [at(n, p[1]) for n, p in enumerate(known)]
    line_of = "M" + " L".join(at(n, p[2]) for n, p in enumerate(known))
    area = "M" + " L".join([*upper, *reversed(lower)]) + " Z"
    zero = {"x1": LEFT, "x2": WIDTH - 8, "y1": middle, "y2": middle}
    parts = [_tag("path", d=area, **{"class": "area"}), _tag("line", **zero, **{"class": "zero"})]
    parts.append(_tag("path", d=line_of, **{"class": "stroke"}))
    for share in (-1.0, 0.0, 1.0):
        text = f"{share * reach:+.0%}" if share else "0"
        parts.append(_text(LEFT - 6, middle - share * reach * scale + 4, text, "end"))
    for n in sorted({0, len(known) // 2, len(known) - 1}):
        anchor = "start" if n == 0 else "end" if n == len(known) - 1 else "middle"
        parts.append(_text(LEFT + n * step, HEIGHT - 6, known[n][0], anchor))
    return _svg(Markup("").join(parts), about)


def forest(rows: Sequence[tuple[str, float, float, float]], about: str) -> Markup:
    """Lifts with their intervals around zero: name, low, middle, high, as shares."""
    finite = [abs(v) for _, *values in rows for v in values if math.isfinite(v)]
    reach = nice(max([*finite, 0.01]))
    middle, scale = 440.0, 250.0 / reach
    height = 30 + 30 * len(rows)
    parts = [_tag("line", x1=middle, x2=middle, y1=4, y2=height - 22, **{"class": "zero"})]
    for n, (name, low, mid, high) in enumerate(rows):
        y = 18 + n * 30
        parts.append(_text(170, y + 4, _short(name), "end"))
        if not all(math.isfinite(v) for v in (low, mid, high)):
            parts.append(_text(middle, y + 4, "not enough data", "middle"))
            continue
        a, b = middle + low * scale, middle + high * scale
        parts.append(_tag("line", x1=a, x2=b, y1=y, y2=y, **{"class": "interval"}))
        parts.append(_tag("circle", cx=middle + mid * scale, cy=y, r=5, **{"class": "dot"}))
    ends = (-reach, 0.0, reach)
    parts += [
        _text(middle + s * scale, height - 6, f"{s:+.0%}" if s else "0", "middle") for s in ends
    ]
    return _svg(Markup("").join(parts), about, height)


def spark(values: Sequence[float], about: str) -> Markup:
    """A small line without axes."""
    if len(values) < 2:
        return Markup("")
    top = max([*values, 1e-12])
    step = 116 / (len(values) - 1)
    points = " L".join(f"{2 + n * step:.1f},{22 - v / top * 20:.1f}" for n, v in enumerate(values))
    body = _tag("path", d=f"M{points}", **{"class": "stroke"})
    return Markup(
        '<svg class="spark" viewBox="0 0 120 24" role="img" aria-label="{}">{}</svg>'
    ).format(about, body)


def calendar(spans: Sequence[dict[str, Any]], first: int) -> Markup:
    """Rows of days, filled on the days a rule holds, paler when only for a part; weeks marked.

    `spans` have `title` and `shares`, `first` is the first day in UTC milliseconds.
    """
    days = max(len(span["shares"]) for span in spans)
    step = (WIDTH - 190) / days
    height = 34 + 26 * len(spans)
    parts = []
    for day in range(0, days, 7):
        x = 180 + day * step
        text = datetime.datetime.fromtimestamp(first / 1000 + day * 86_400, datetime.UTC)
        parts.append(_tag("line", x1=x, x2=x, y1=20, y2=height - 6, **{"class": "grid"}))
        parts.append(_text(x, 14, f"{text:%d %b}", "start"))
    for n, span in enumerate(spans):
        y = 28 + n * 26
        parts.append(_text(170, y + 12, _short(span["title"]), "end"))
        for day, share in enumerate(span["shares"]):
            if share > 0:
                where = {"x": 180 + day * step, "y": y, "width": step - 1.5, "height": 16}
                parts.append(_tag("rect", **where, rx=2, opacity=0.35 + 0.65 * share, **BAR))
    return _svg(Markup("").join(parts), "Days on which each rule holds", height)


def nice(top: float) -> float:
    """The next 1, 2 or 5 times a power of ten, for the end of an axis."""
    if top <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(top))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= top * 0.999)


def _marker(given: Marker | dict[str, Any]) -> Marker:
    return given if isinstance(given, Marker) else Marker(given["at"], given["text"])


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - max(0.0, value) / top * (HEIGHT - BOTTOM - TOP)


def _grid(top: float, unit: str) -> Markup:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _y(top * share, top)
        parts.append(_tag("line", x1=LEFT, x2=WIDTH - 8, y1=y, y2=y, **{"class": "grid"}))
        parts.append(_text(LEFT - 6, y + 4, f"{_number(top * share)}{unit}", "end"))
    return Markup("").join(parts)


def _number(value: float) -> str:
    if abs(value) >= 10_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"


def _tag(tag: str, **attributes: float | str) -> Markup:
    shown = " ".join(
        f'{name}="{escape(round(value, 2) if isinstance(value, float) else value)}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag} {shown}/>")  # noqa: S704 - names are ours, values are escaped above


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        round(x, 1), round(y, 1), anchor, text
    )


def _svg(body: Markup, about: str, height: int = HEIGHT) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, about, body)
