"""What fits the visitor's affinities: brands, categories, price bands and attributes they like."""

from typing import Any, Literal

import numpy as np

from endcap.catalog.arrays import IntArray, absent, distinct
from endcap.core.answer import Reason
from endcap.core.merchant import Profile
from endcap.recommend.affinity import FacetReader, kept_profile
from endcap.recommend.query import Query, State
from endcap.recommend.scan import first_allowed
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever

LISTED = {"brand": 3, "category": 5}
SMALL_SHOP = 500
# Facets that count, products looked at per facet, and facets that a reason names.
FACETS = 15
EACH = 40
CITED = 3


class ForYou(Retriever, frozen=True, kw_only=True):
    """Affinities halve every `half_life_days`; `seen` lets in what the visitor looked at lately."""

    half_life_days: float = 14.0
    window: Literal["7d", "30d", "365d"] = "365d"
    seen: bool = False

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Popular products of the favourite brands and categories, by how many facets fit."""
        if not len(query.trail.rows) and not query.corrections.weights:
            return NOTHING
        profile = kept_profile(query.trail, state, self.half_life_days, query.corrections)
        rows = self._candidates(profile, query, state, allow, want)
        if not len(rows):
            return NOTHING
        facets = profile.facets[:FACETS]
        fit = _fit(facets, rows, state)
        scores = fit.sum(axis=0)
        kept = scores > 0
        if not kept.any():
            return NOTHING
        names = [f.facet for f in facets]
        events = {f.facet: f.events for f in facets}
        evidence = {"fit": fit.T[kept], "names": names, "events": events}
        return Found(rows[kept], scores[kept], evidence)

    def _candidates(
        self, profile: Profile, query: Query, state: State, allow: Allow, want: int
    ) -> IntArray:
        if len(state.columns) <= SMALL_SHOP:
            everything = np.arange(len(state.columns), dtype=np.int32)
            rows = everything[allow(everything)]
        else:
            rows = self._listed(profile, state, allow, want)
        if not self.seen and len(query.viewed):
            rows = rows[absent(rows, query.viewed)]
        return rows

    def _listed(self, profile: Profile, state: State, allow: Allow, want: int) -> IntArray:
        left = dict(LISTED)
        lists: list[IntArray] = [np.empty(0, np.int32)]
        for facet in profile.facets:
            kind, _, value = facet.facet.partition(":")
            if facet.weight <= 0 or not left.get(kind):
                continue
            left[kind] -= 1
            if kind == "category":
                ranked = state.joined.ranked(self.window, value)
            else:
                code = state.columns.names.find(value)
                ranked = state.joined.of_brand(self.window, -1 if code is None else code)
            lists.append(first_allowed(ranked, allow, min(want, EACH)))
        return distinct(*lists)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The facets that fit best, with their weights and the events behind them."""
        return _reason(evidence["fit"][place].tolist(), evidence)

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several; products that fit alike share their reason."""
        made: dict[tuple[float, ...], Reason] = {}
        reasons: list[Reason] = []
        for fit in evidence["fit"][places].tolist():
            key = tuple(fit)
            reason = made.get(key)
            if reason is None:
                reason = made[key] = _reason(fit, evidence)
            reasons.append(reason)
        return reasons


def _reason(fit: list[float], evidence: dict[str, Any]) -> Reason:
    best = sorted((-weight, at) for at, weight in enumerate(fit) if weight > 0)[:CITED]
    counts: dict[str, int | float | str] = {
        evidence["names"][at]: round(-weight, 3) for weight, at in best
    }
    names = list(counts)
    counts["events"] = max((evidence["events"].get(name, 0) for name in names), default=0)
    plain = [name for name in names if not name.startswith("price:")]
    text = f"Because you like {_said(plain[0])}" if plain else "In your price range"
    return Reason("for_you", text, counts=counts)


def _fit(facets: list[Any], rows: IntArray, state: State) -> np.ndarray[Any, Any]:
    """[facets, rows]: the weight of each facet where a row has it."""
    if not facets:
        return np.zeros((0, len(rows)))
    reader = FacetReader(rows, state)
    fit = np.array([reader.has(f.facet) for f in facets], np.float64)
    fit *= np.array([f.weight for f in facets])[:, None]
    return fit


def _said(facet: str) -> str:
    kind, _, value = facet.partition(":")
    if kind == "category":
        return value.rpartition(" > ")[2]
    return value if kind == "brand" else f"{kind} {value}"
