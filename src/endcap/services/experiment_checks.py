"""What an experiment must fulfil before it can be stored."""

import math
from collections.abc import Iterator

from endcap.core.errors import FieldProblem
from endcap.core.experiment import HOLD_OUT, INTERLEAVED, Experiment
from endcap.core.ids import id_problem

MAX_VARIANTS = 10
MAX_PLACEMENTS = 20


def experiment_problems(name: str, given: Experiment) -> list[FieldProblem]:
    """Everything wrong with it, apart from what its placements say."""
    problems = list(_numbers(given))
    for pointer, text in (("/name", name), ("/layer", given.layer)):
        if problem := id_problem(text, pointer):
            problems.append(problem)
        elif "/" in text or ":" in text:
            problems.append(FieldProblem(pointer, "invalid", "must not have a `/` or `:`"))
    if len(given.title) > 200 or (given.title and not given.title.isprintable()):
        problems.append(FieldProblem("/title", "invalid", "must be up to 200 characters"))
    if not 1 <= len(given.placements) <= MAX_PLACEMENTS:
        problems.append(FieldProblem("/placements", "out_of_range", "must be 1 to 20"))
    return problems + list(_variants(given))


def _variants(given: Experiment) -> Iterator[FieldProblem]:
    if not 2 <= len(given.variants) <= MAX_VARIANTS:
        yield FieldProblem("/variants", "out_of_range", f"must be 2 to {MAX_VARIANTS}")
    elif given.type == "interleaving" and len(given.variants) != 2:
        yield FieldProblem("/variants", "out_of_range", "must be 2 to be interleaved")
    names = [variant.name for variant in given.variants]
    for place, variant in enumerate(given.variants):
        at = f"/variants/{place}"
        if problem := id_problem(variant.name, f"{at}/name"):
            yield problem
        elif names.count(variant.name) > 1 or variant.name in (HOLD_OUT, INTERLEAVED):
            text = f"must be unique, and not `{HOLD_OUT}` or `{INTERLEAVED}`"
            yield FieldProblem(f"{at}/name", "not_allowed", text)
        if not _within(variant.weight, 0, 1_000):
            yield FieldProblem(f"{at}/weight", "out_of_range", "must be > 0, at most 1,000")


def _numbers(given: Experiment) -> Iterator[FieldProblem]:
    plan = given.plan
    if given.type == "interleaving" and (given.guardrails or given.primary != "click_rate"):
        text = "clicks decide an interleaving, and nothing else: everybody sees both variants"
        yield FieldProblem("/guardrails" if given.guardrails else "/primary", "not_allowed", text)
    for pointer, value, low, high in (
        ("/share", given.share, 0, 1),
        ("/traffic", given.traffic, 0, 1),
        ("/alpha", given.alpha, 0, 0.5),
        ("/plan/effect", plan.effect, 0, 10),
        ("/plan/power", plan.power, 0, 0.999),
        *((f"/ramp/{n}/traffic", step.traffic, 0, 1) for n, step in enumerate(given.ramp)),
        *((f"/guardrails/{n}/margin", g.margin, 0, 1) for n, g in enumerate(given.guardrails)),
    ):
        if not _within(value, low, high):
            yield FieldProblem(pointer, "out_of_range", f"must be > {low}, at most {high}")
    for number, step in enumerate(given.ramp):
        if not 0 <= step.hours <= 10_000:
            yield FieldProblem(f"/ramp/{number}/hours", "out_of_range", "must be 0 to 10,000")
    if not 0 <= given.hold_out <= 0.5:
        yield FieldProblem("/hold_out", "out_of_range", "must be 0 to 0.5")
    if not 0 <= plan.per_variant <= 10**9:
        yield FieldProblem("/plan/per_variant", "out_of_range", "must be 0 to a billion")
    if not 1 <= plan.days <= 365:
        yield FieldProblem("/plan/days", "out_of_range", "must be 1 to 365")


def _within(value: float, low: float, high: float) -> bool:
    return math.isfinite(value) and low < value <= high
