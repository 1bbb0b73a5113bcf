"""`./run bench scale`: from measured figures of one node to a billion events a day.

Writes the tables between the marks of docs/scale.md and the picture beside it; the same inputs
(`bench/scaling/inputs.json`) and seed give the same text. `--check` only says whether they are as
they should be.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scaling.arithmetic import Figures, Needs, limits, needs
from scaling.plot import Curve, picture
from scaling.queueing import Farm, simulate

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "pictures" / "scale.svg"
INPUTS = Path(__file__).parent / "scaling" / "inputs.json"
MARK = re.compile(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", re.DOTALL)


def figures(inputs: Mapping[str, Any]) -> Figures:
    """Measured and assumed values by name."""
    return {k: v[0] for part in ("measured", "assumed") for k, v in inputs[part].items()}


def farms(inputs: Mapping[str, Any]) -> list[Farm]:
    """What is simulated."""
    s = inputs["simulated"]
    return [
        Farm(
            count,
            count * s["requests_per_replica"],
            s["service_ms"] / 1_000,
            s["spread"],
            s["busy"],
            s["limit_busy"],
            s["notice_s"],
        )
        for count in s["replicas"]
    ]


def tables(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Every table of the page by its mark."""
    f = figures(inputs)
    made = [needs(f, events, products) for events, products in inputs["sizes"]]
    return {
        "inputs": _table(
            ("figure", "value", "from"),
            [
                (
                    name.replace("_", " "),
                    f"{value:,}",
                    about if part == "measured" else f"assumed: {about}",
                )
                for part in ("measured", "assumed")
                for name, (value, about) in inputs[part].items()
            ],
        ),
        "needs": _needs(made),
        "limits": _table(
            ("what ends", "at events a day", "then"),
            [(one.what, _round(one.events), one.then) for one in limits(f)],
        ),
        "queues": _queues(inputs),
    }


def _needs(made: Sequence[Needs]) -> str:
    rows: list[tuple[str, ...]] = [
        ("products", *(f"{one.products:,}" for one in made)),
        ("recommendations a second, peak", *(f"{one.asked_per_s:,.0f}" for one in made)),
        ("events a second, peak", *(f"{one.events_per_s:,.0f}" for one in made)),
        ("recommending processes", *(f"{one.recommenders:,}" for one in made)),
        ("machines for them", *(f"{one.machines:,}" for one in made)),
        ("memory of such a machine, GB", *(f"{one.memory_gb:,.1f}" for one in made)),
        ("start of a process, s", *(f"{one.start_s:,.1f}" for one in made)),
        ("collecting processes", *(f"{one.collectors:,}" for one in made)),
        ("of what one log can take", *(f"{one.log_share:.0%}" for one in made)),
        ("shards of Redis", *(f"{one.shards:,}" for one in made)),
        ("full build on one machine, h", *(f"{one.build_hours:,.2f}" for one in made)),
        ("cores to build in the window", *(f"{one.build_cores:,}" for one in made)),
        ("archive, GB", *(f"{one.archive_gb:,.0f}" for one in made)),
    ]
    return _table(("events a day", *(_round(one.events) for one in made)), rows)


def _queues(inputs: Mapping[str, Any]) -> str:
    rows = []
    for farm in farms(inputs):
        r = simulate(farm, inputs["simulated"]["seed"])
        counts = (r.arrived, r.answered, r.refused, r.resent)
        times = (f"{one:.1f}" for one in (r.p50, r.p99, r.p99_lost))
        rows.append((str(farm.replicas), *(f"{one:,}" for one in counts), *times, str(r.at_most)))
    columns = ("replicas", "requests", "answered", "refused", "sent again")
    times = ("p50 ms", "p99 ms", "p99 ms, 2 s after the loss", "longest queue")
    return _table((*columns, *times), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    if head[-1] in ("from", "then"):
        lines[1] = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _round(value: float) -> str:
    for size, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.3g} {unit}"
    return f"{value:.0f}"


def drawing(inputs: Mapping[str, Any]) -> str:
    """The picture: cores of each part against events a day, at 1 M products."""
    f = figures(inputs)
    sizes = [10 ** (power / 4) for power in range(20, 37)]
    made = [needs(f, round(size), 1_000_000) for size in sizes]
    busy = f["recommend_cpu_us"] / 1e6 / f["busy"]
    curves = [
        Curve("recommend", [(n.events, n.asked_per_s * busy) for n in made]),
        Curve(
            "collect",
            [(n.events, n.events_per_s / f["collect_events_per_s"] / f["busy"]) for n in made],
        ),
        Curve(
            "build, in its window",
            [(n.events, n.build_hours * f["machine_cores"] / f["build_hours"]) for n in made],
        ),
        Curve("one log (1 = full)", [(n.events, n.log_share) for n in made]),
    ]
    return picture("Cores needed against events a day", curves, (5, 9), (-2, 3))


def page(text: str, made: Mapping[str, str]) -> str:
    """The page with its tables renewed."""
    return MARK.sub(lambda m: f"<!-- {m[1]} -->\n{made[m[1]]}\n<!-- /{m[1]} -->", text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench scale", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when stale")
    options = parser.parse_args()
    inputs = msgspec.json.decode(INPUTS.read_bytes())
    made = tables(inputs)
    wanted = {PAGE: page(PAGE.read_text("utf-8"), made), PICTURE: drawing(inputs)}
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text]
    if options.check:
        sys.exit(f"stale: {', '.join(p.name for p in stale)}" if stale else 0)
    for path, text in wanted.items():
        path.write_text(text, "utf-8")
    for name in ("needs", "limits", "queues"):
        print(made[name], end="\n\n")


if __name__ == "__main__":
    main()
