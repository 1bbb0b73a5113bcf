"""Which plan an evaluation runs: a ready placement, or strategies given by hand."""

from collections.abc import Sequence
from typing import Any

import msgspec

from endcap.core.errors import InvalidInput
from endcap.core.placement import Placement
from endcap.recommend.plan import Plan, make_plan
from endcap.recommend.registry import Components
from endcap.services.placements import ready_placements


def plan_of(placement: str, strategies: Sequence[str]) -> Plan:
    """The ready placement's plan; with `strategies` (a retriever's name, or a strategy as JSON)
    those alone, without filters and fallback. Raises InvalidInput."""
    if strategies:
        given = Placement(strategies=[_strategy(text) for text in strategies])
        return make_plan("strategies", 0, given, Components())
    ready = ready_placements()
    if placement not in ready:
        raise InvalidInput(f"no placement `{placement}`; there is {', '.join(sorted(ready))}")
    return make_plan(placement, 0, ready[placement], Components())


def _strategy(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {"retriever": text}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the strategy {text} is no JSON object: {error}") from error
