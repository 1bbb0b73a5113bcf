"""A placement's data made ready to run: components built, weights read, all problems listed."""

from typing import Any, NamedTuple

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.placement import Placement
from endcap.core.request import MAX_COUNT

from .registry import Components
from .stages import NamedFilter, Reranker, Retriever

SCALES = ("best", "sum", "none")


class Strategy(NamedTuple):
    """A retriever as used in a placement.

    `scale` says what the weight multiplies: the scores over their `best`, over their `sum`, or
    (`none`) as they are, for retrievers whose scores are shares or probabilities.
    """

    name: str
    retriever: Retriever
    weight: float
    scale: str = "best"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A placement, ready to run."""

    name: str
    version: int
    slots: int
    personal: bool
    blend: str
    boost_cap: float
    strategies: tuple[Strategy, ...]
    filters: tuple[NamedFilter, ...]
    rerankers: tuple[Reranker, ...]
    fallback: tuple[Strategy, ...]


def make_plan(name: str, version: int, placement: Placement, components: Components) -> Plan:
    """Build the plan. Raises InvalidInput with every problem of the placement."""
    problems: list[FieldProblem] = []
    if not 1 <= placement.slots <= MAX_COUNT:
        problems.append(FieldProblem("/slots", "out_of_range", f"must be 1 to {MAX_COUNT}"))
    if not 1 <= placement.boost_cap <= 1_000:
        problems.append(FieldProblem("/boost_cap", "out_of_range", "must be 1 to 1,000"))
    if not placement.strategies and not placement.fallback:
        problems.append(FieldProblem("/strategies", "empty", "needs at least one strategy"))
    plan = Plan(
        name=name,
        version=version,
        slots=placement.slots,
        personal=placement.personal,
        blend=placement.blend,
        boost_cap=placement.boost_cap,
        strategies=_strategies(placement.strategies, "/strategies", components, problems),
        filters=_filters(placement.filters, components, problems),
        rerankers=_rerankers(placement.rerankers, components, problems),
        fallback=_strategies(placement.fallback, "/fallback", components, problems),
    )
    if problems:
        raise InvalidInput(f"the placement `{name}` cannot work", problems)
    return plan


def _strategies(
    entries: list[dict[str, Any]],
    pointer: str,
    components: Components,
    problems: list[FieldProblem],
) -> tuple[Strategy, ...]:
    made: list[Strategy] = []
    for place, entry in enumerate(entries):
        options = {key: value for key, value in entry.items() if key not in ("weight", "scale")}
        weight, scale = entry.get("weight", 1.0), entry.get("scale", "best")
        here = f"{pointer}/{place}"
        if scale not in SCALES:
            problems.append(
                FieldProblem(f"{here}/scale", "not_allowed", f"must be one of {', '.join(SCALES)}")
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 100:
            problems.append(FieldProblem(f"{here}/weight", "out_of_range", "must be > 0, <= 100"))
            weight = 1.0
        retriever = components.retrievers.make(options, here)
        if isinstance(retriever, FieldProblem):
            problems.append(retriever)
        else:
            made.append(Strategy(entry["retriever"], retriever, float(weight), scale))
    return tuple(made)


def _filters(
    entries: list[dict[str, Any]], components: Components, problems: list[FieldProblem]
) -> tuple[NamedFilter, ...]:
    made: list[NamedFilter] = []
    for place, entry in enumerate(entries):
        found = components.filters.make(entry, f"/filters/{place}")
        if isinstance(found, FieldProblem):
            problems.append(found)
        else:
            made.append(NamedFilter(entry["filter"], found))
    return tuple(made)


def _rerankers(
    entries: list[dict[str, Any]], components: Components, problems: list[FieldProblem]
) -> tuple[Reranker, ...]:
    made: list[Reranker] = []
    for place, entry in enumerate(entries):
        found = components.rerankers.make(entry, f"/rerankers/{place}")
        if isinstance(found, FieldProblem):
            problems.append(found)
        else:
            made.append(found)
    return tuple(made)
