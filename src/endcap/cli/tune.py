"""`endcap tune`: search a placement's parameters on the shop's own last days; writes a draft."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer

from endcap.catalog.arrays import FloatArray
from endcap.core.errors import InvalidInput
from endcap.core.placement import Placement
from endcap.evaluate.holdout import Holdout
from endcap.evaluate.measures import per_example
from endcap.evaluate.pairs import Orders
from endcap.evaluate.search import Answer, Tuned, search
from endcap.recommend.plan import make_plan
from endcap.recommend.registry import Components

from .held_out import answered, held_out, part, protocol_of, stored_placement
from .options import Config, Data, Json, settings_from
from .output import Progress, progress, show

MEASURES = ("mrr", "hr", "ndcg", "recall")


def tune(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    placement: Annotated[str, typer.Argument(help="The placement whose strategies are tuned.")],
    days: Annotated[int, typer.Option(help="How many last days are held out.")] = 7,
    candidates: Annotated[int, typer.Option(help="How many variations are tried.")] = 16,
    seed: Annotated[int, typer.Option(help="The same seed tries the same variations.")] = 1,
    k: Annotated[int, typer.Option(help="How many answers count.")] = 20,
    measure: Annotated[str, typer.Option(help="mrr, hr, ndcg or recall.")] = "mrr",
    protocol: Annotated[str, typer.Option(help="auto, sessions or orders.")] = "auto",
    to: Annotated[Path | None, typer.Option(help="The draft's file.")] = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Search better weights and options; nothing goes live: the draft is for you to review."""
    if measure not in MEASURES or not 2 <= candidates <= 1_000:
        raise InvalidInput(f"measure must be one of {', '.join(MEASURES)}, candidates 2 to 1,000")
    settings = settings_from(config, data=data)
    stored, version = asyncio.run(stored_placement(settings, placement))
    with progress("Tuning", json) as report, held_out(settings, days, report) as given:
        kind = protocol_of(protocol, placement, given)
        answer = _answer(given, placement, kind, k, measure)
        tuned = search(stored, _numeric_options, answer, candidates, seed, _after(report))
    draft = {
        "kind": "placement_draft",
        "placement": placement,
        "base_version": version,
        "body": tuned.placement,
        "measure": f"{measure}@{k} on {kind} of the last {days} days",
        "before": round(tuned.before, 5),
        "after": round(tuned.after, 5),
        "gain": tuned.gain,
        "better": tuned.better,
        "examples": tuned.examples,
        "seed": seed,
        "trials": tuned.trials,
    }
    file = to or Path(f"draft-{placement}.json")
    file.write_bytes(msgspec.json.format(msgspec.json.encode(draft), indent=2) + b"\n")
    show(draft, _text(tuned, file), json)


def _answer(given: Holdout, name: str, kind: str, k: int, measure: str) -> Answer:
    components = Components()

    def answer(placement: Placement, half: int, limit: int) -> FloatArray:
        plan = make_plan(name, 0, placement, components)
        chosen = msgspec.structs.replace(
            given,
            sessions=part(given.sessions, half, limit),
            orders=_orders(given.orders, half, limit),
        )
        found = answered(chosen, plan, kind, k, lambda _stage, _done: None)
        return per_example(found)[measure]

    return answer


def _orders(orders: Orders, half: int, limit: int) -> Orders:
    """Every second order, as many as give about `limit` lines."""
    kept = orders.order % 2 == half
    kept &= np.cumsum(kept) <= limit
    return Orders(orders.order[kept], orders.item[kept], orders.customer[kept], orders.moment[kept])


def _numeric_options(retriever: str) -> dict[str, float]:
    """The float options of a retriever with their defaults."""
    component = Components().retrievers.found[retriever]
    found: dict[str, Any] = {f.name: f.default for f in msgspec.structs.fields(component)}
    return {name: value for name, value in found.items() if isinstance(value, float) and value > 0}


def _after(report: Progress) -> Progress:
    return lambda stage, done: report(stage, 0.3 + 0.7 * done)


def _text(tuned: Tuned, file: Path) -> str:
    gain = tuned.gain
    verdict = (
        "The gain is above chance."
        if tuned.better
        else "The gain could be chance: keep the placement as it is."
    )
    return (
        f"Before {tuned.before:.4f}, after {tuned.after:.4f}: gain {gain.value:+.4f} "
        f"({gain.low:+.4f} to {gain.high:+.4f}) on {tuned.examples:,} examples that were not used "
        f"in the search.\n{verdict} The draft is {file}; nothing was changed."
    )
