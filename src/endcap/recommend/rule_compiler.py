"""From a rule as edited to a rule that runs; everything wrong with it is named."""

from collections.abc import Iterator
from typing import NamedTuple

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.ids import id_problem
from endcap.core.request import MAX_COUNT
from endcap.core.rule import (
    BadgeEffect,
    BoostEffect,
    BuryEffect,
    FilterEffect,
    OfferEffect,
    PinEffect,
    QuotaEffect,
    Rule,
)
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import Expression, compile_expression
from endcap.rules.fields import EVERYTHING, NO_PRODUCT

from .active_rule import ActiveRule
from .rule_tests import Condition, ProductTest
from .schedules import holds_at, schedule_problems

MAX_FACTOR = 100.0
MAX_PINS = 50
MAX_TITLE = 200
# What differs from request to request though the product does not: its age.
_CHANGING = frozenset({"age_days"})
# Prices and stock may differ by zone, which fixed effects are kept apart for.
SCOPES = ("placements", "zones", "when")


class Compiled(NamedTuple):
    """A rule with its expressions."""

    rule: Rule
    when: Expression | None
    where: Expression | None


def compile_parts(rule: Rule) -> Compiled:
    """The rule's expressions. Raises InvalidInput with every problem."""
    problems: list[FieldProblem] = [*_rule_problems(rule)]
    found: dict[str, Expression | None] = {"when": None, "where": None}
    for name, schema in (("when", NO_PRODUCT), ("where", EVERYTHING)):
        text = getattr(rule, name)
        if not text.strip():
            continue
        try:
            found[name] = compile_expression(text, schema)
        except ExpressionError as error:
            problems.append(error.problem(f"/{name}"))
    if problems:
        raise InvalidInput("the rule cannot work", problems)
    return Compiled(rule, found["when"], found["where"])


def compile_rule(name: str, version: int, rule: Rule) -> ActiveRule:
    """The rule ready to run. Raises InvalidInput with every problem."""
    parts = compile_parts(rule)
    when, where = parts.when, parts.where
    fixed = where is not None and where.product_only
    changing = where is not None and any(name in _CHANGING for _, name, _ in where.reads)
    return ActiveRule(
        name=name,
        version=version,
        effect=rule.effect,
        priority=rule.priority,
        scope=sum(bool(getattr(rule, part)) for part in SCOPES),
        about=about(parts),
        when=None if when is None else Condition(when),
        where=None if where is None else ProductTest(where),
        holds=None if rule.schedule is None else holds_at(rule.schedule),
        zones=frozenset(rule.zones),
        product_only=fixed and not changing,
    )


def about(parts: Compiled) -> str:
    """The rule in one sentence, without a full stop."""
    rule = parts.rule
    which = f"products for which {parts.where.english()}" if parts.where else "all products"
    effect = rule.effect
    match effect:
        case FilterEffect(mode="only"):
            text = f"show only {which}"
        case FilterEffect():
            text = f"never show {which}"
        case BoostEffect(factor=factor):
            text = f"score {which} {factor:g} times as high"
        case BuryEffect(factor=factor):
            text = f"score {which} at {factor:g} of what it was"
        case PinEffect(slot=slot, products=products, forced=forced):
            named = ", ".join(products) if products else f"the best of {which}"
            text = f"put {named} in slot {slot}" + (", whatever the filters say" if forced else "")
        case QuotaEffect(share=share):
            text = f"fill at least {share:.0%} of the slate with {which}"
        case BadgeEffect(badge=badge):
            text = f"mark {which} with the badge {badge}"
        case OfferEffect(offer=offer):
            text = f"make the offer {offer} on {which}"
    if parts.when is not None:
        text += f", when {parts.when.english()}"
    return text


def _rule_problems(rule: Rule) -> Iterator[FieldProblem]:
    if len(rule.title) > MAX_TITLE:
        yield FieldProblem("/title", "too_long", f"has more than {MAX_TITLE} characters")
    if not -1_000 <= rule.priority <= 1_000:
        yield FieldProblem("/priority", "out_of_range", "must be -1,000 to 1,000")
    for field in ("placements", "zones"):
        for place, value in enumerate(getattr(rule, field)):
            if problem := id_problem(value, f"/{field}/{place}"):
                yield problem
    if rule.schedule is not None:
        yield from schedule_problems(rule.schedule, "/schedule")
    yield from _effect_problems(rule)


def _effect_problems(rule: Rule) -> Iterator[FieldProblem]:
    effect = rule.effect
    if isinstance(effect, BoostEffect) and not 1 < effect.factor <= MAX_FACTOR:
        yield FieldProblem("/effect/factor", "out_of_range", f"must be > 1, <= {MAX_FACTOR:g}")
    if isinstance(effect, BuryEffect) and not 1 / MAX_FACTOR <= effect.factor < 1:
        message = f"must be >= {1 / MAX_FACTOR:g}, < 1; `filter` takes products out altogether"
        yield FieldProblem("/effect/factor", "out_of_range", message)
    if isinstance(effect, QuotaEffect) and not 0 < effect.share <= 1:
        yield FieldProblem("/effect/share", "out_of_range", "must be > 0, <= 1")
    if isinstance(effect, PinEffect):
        yield from _pin_problems(effect, rule)
    if isinstance(effect, BadgeEffect) and (problem := id_problem(effect.badge, "/effect/badge")):
        yield problem
    if isinstance(effect, OfferEffect) and (problem := id_problem(effect.offer, "/effect/offer")):
        yield problem
    if isinstance(effect, FilterEffect | QuotaEffect) and not rule.where.strip():
        yield FieldProblem("/where", "missing", "this effect needs to know which products")


def _pin_problems(effect: PinEffect, rule: Rule) -> Iterator[FieldProblem]:
    if not 1 <= effect.slot <= MAX_COUNT:
        yield FieldProblem("/effect/slot", "out_of_range", f"must be 1 to {MAX_COUNT}")
    if not 1 <= effect.count <= MAX_PINS:
        yield FieldProblem("/effect/count", "out_of_range", f"must be 1 to {MAX_PINS}")
    if len(effect.products) > MAX_PINS:
        yield FieldProblem("/effect/products", "too_many", f"at most {MAX_PINS}")
    for place, product in enumerate(effect.products):
        if problem := id_problem(product, f"/effect/products/{place}"):
            yield problem
    if not effect.products and not rule.where.strip():
        yield FieldProblem("/effect/products", "missing", "name products, or give a `where`")
    if effect.forced and not effect.products:
        message = "only pins of named products can be forced"
        yield FieldProblem("/effect/forced", "not_allowed", message)
