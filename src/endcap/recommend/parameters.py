"""The main parameters of a placement in plain language, made from what really runs.

The form is that of article 27 of Regulation (EU) 2022/2065 (Digital Services Act): which criteria
decide what is suggested, why they matter relative to one another, and how to change that.
"""

import inspect
import sys
from typing import Any, Literal

import msgspec

from .active_rule import ActiveRule
from .merchandising import PlacementRules
from .plan import Plan, Strategy


class MainParameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One criterion. `importance` is its part of the weights, 0 to 1, where parts can be told."""

    kind: Literal["strategy", "filter", "order", "rule", "fallback"]
    name: str
    text: str
    importance: float | None = None
    options: dict[str, Any] = {}


class MainParameters(msgspec.Struct, frozen=True):
    """All criteria of a placement, in the order in which they work."""

    placement: str
    version: int
    text: str
    personal: bool
    choice: str
    parameters: list[MainParameter]


def main_parameters(plan: Plan, rules: PlacementRules, title: str) -> MainParameters:
    """Describe a placement. Every strategy, filter, reranker, rule and rung of it is named."""
    whole = sum(strategy.weight for strategy in plan.strategies)
    found = [_strategy(strategy, whole) for strategy in plan.strategies]
    found += [
        MainParameter("filter", named.name, _sentence(named.filter)) for named in plan.filters
    ]
    found += [
        MainParameter("order", _name(reranker), _sentence(reranker), None, _options(reranker))
        for reranker in plan.rerankers
    ]
    found += [MainParameter("rule", rule.name, _rule(rule)) for rule in rules.rules]
    found += [
        MainParameter(
            "fallback", rung.name, _sentence(rung.retriever), None, _options(rung.retriever)
        )
        for rung in plan.fallback
    ]
    return MainParameters(
        placement=plan.name,
        version=plan.version,
        text=_text(plan, title),
        personal=plan.personal,
        choice=_choice(plan),
        parameters=found,
    )


def _strategy(strategy: Strategy, whole: float) -> MainParameter:
    return MainParameter(
        "strategy",
        strategy.name,
        _sentence(strategy.retriever),
        round(strategy.weight / whole, 3),
        _options(strategy.retriever),
    )


def _text(plan: Plan, title: str) -> str:
    first = max(plan.strategies, key=lambda s: s.weight, default=None)
    named = f"“{title or plan.name}” suggests up to {plan.slots} products. "
    if first is None:
        return named + "It has no strategy of its own and shows its fallback."
    most = _sentence(first.retriever)
    begin = most[:1].lower() + most[1:]
    return f"{named}What matters most: {begin}"


def _choice(plan: Plan) -> str:
    if not plan.personal:
        return "This list is the same for everyone; nothing about the visitor is read."
    return (
        "This list also looks at what the visitor did in this shop. With `personalization=off` in "
        "the request it is made without that."
    )


def _rule(rule: ActiveRule) -> str:
    return rule.about or f"A rule of the shop ({type(rule.effect).__struct_config__.tag})."


def _sentence(component: object) -> str:
    """The first paragraph of the component's file: what it is for, in words for anybody."""
    module = sys.modules[type(component).__module__]
    return " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())


def _name(component: object) -> str:
    return type(component).__module__.rpartition(".")[2]


def _options(component: msgspec.Struct) -> dict[str, Any]:
    options: dict[str, Any] = msgspec.to_builtins(component)
    return options
