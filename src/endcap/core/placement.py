"""A placement is data: strategies, filters, arrangement and fallback of one spot in the shop."""

from typing import Any, Literal

import msgspec


class Placement(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named spot that asks for recommendations.

    Each entry of `strategies`, `filters`, `rerankers` and `fallback` is a mapping that names its
    component under `retriever`, `filter` or `reranker`; the other keys are that component's
    options. A strategy also takes `weight` (default 1) and `scale` (`best`: its best candidate
    counts 1; `sum`: its candidates add up to 1; `none`: scores count as they are). `blend` says
    how strategies are put together: by `weighted` scores, or by `reciprocal_rank`. Boosts and
    buries of rules multiply up to `boost_cap` and down to its inverse. `fallback` rungs are tried
    in order until `slots` are filled.
    """

    title: str = ""
    slots: int = 8
    blend: Literal["weighted", "reciprocal_rank"] = "weighted"
    boost_cap: float = 10.0
    strategies: list[dict[str, Any]] = []
    filters: list[dict[str, Any]] = []
    rerankers: list[dict[str, Any]] = []
    fallback: list[dict[str, Any]] = []
    personal: bool = True


class ControlRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a piece of control data (a placement, rule, segment …); never changed later.

    `body` is JSON; None means that this version deleted it.
    """

    kind: str
    name: str
    version: int
    body: bytes | None
    author: str
    note: str
    created_at: int
