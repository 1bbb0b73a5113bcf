"""A step up from the seed: linked by hand, a bundle with it, or alike and better or dearer."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.likeness import money, price_ratio, share_category
from endcap.recommend.query import Query, State
from endcap.recommend.savings import bundles
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever

LINKED, BUNDLE, ALIKE = range(3)
# The best price for a step up: a quarter more than the seed.
STEP = 1.25
MIN_RATINGS = 5


class Upgrades(Retriever, frozen=True, kw_only=True):
    """`band` is how much dearer a product may be, as a part of the seed's price; `better` is the
    number of stars that make a product of about the same price a step up."""

    band: float = 0.6
    better: float = 0.3

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Links in their order, then bundles by their saving, then products alike."""
        if not len(query.seeds):
            return NOTHING
        seed = int(query.seeds[0])
        found: dict[int, tuple[int, float, int, int]] = {}
        linked = state.columns.links.upgrades.get(seed, ())
        for rank, row in enumerate(state.columns.rows(linked).tolist()):
            found[row] = (LINKED, 3.0 - 0.001 * rank, 0, 0)
        for bundle in bundles(query, state, seed):
            part = bundle.saving / bundle.singly
            found.setdefault(bundle.row, (BUNDLE, 1.5 + part, bundle.saving, bundle.singly))
        for row, score, shared in self._alike(query, state, seed):
            found.setdefault(row, (ALIKE, score, shared, 0))
        rows = np.array(list(found), np.int32)
        keep = allow(rows)
        if not keep.any():
            return NOTHING
        kinds, scores, one, two = (np.array(c) for c in zip(*found.values(), strict=True))
        prices = state.columns.price_in(np.append(rows, seed).astype(np.int32), query.zone)
        evidence = {
            "row": rows,
            "seed": np.full(len(rows), seed),
            "kind": kinds,
            "one": one,
            "two": two,
            "price": prices[:-1],
            "seed_price": np.full(len(rows), prices[-1]),
        }
        return Found(rows[keep], scores[keep], {k: v[keep] for k, v in evidence.items()})

    def _alike(self, query: Query, state: State, seed: int) -> list[tuple[int, float, int]]:
        columns = state.columns
        pairs = state.joined.pairs("similar", seed)
        if not len(pairs.items):
            return []
        rows = pairs.items
        ratio = price_ratio(query, state, rows, seed)
        gain = np.nan_to_num(columns.rating[rows] - columns.rating[seed], nan=0.0)
        gain[columns.rating_count[rows] < MIN_RATINGS] = 0.0
        fits = (ratio > 1.0) | ((ratio >= 0.9) & (gain >= self.better))
        fits &= (ratio <= 1.0 + self.band) & (gain > -self.better)
        if columns.categories[seed].any():
            fits &= share_category(columns, rows, query.seeds[:1])
        at = np.flatnonzero(fits)
        step = np.exp(-np.abs(np.log(ratio[at] / STEP)))
        scores = pairs.scores[at] * step * (1.0 + 0.5 * np.clip(gain[at], 0.0, 1.0))
        shared = state.joined.evidence("similar", "shared", pairs.place[at]).astype(int)
        best = max(1.0, float(scores.max(initial=1.0)))
        return list(zip(rows[at].tolist(), (scores / best).tolist(), shared.tolist(), strict=True))

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """The saving of a bundle, or both prices and ratings."""
        columns = state.columns
        row, seed = int(evidence["row"][place]), int(evidence["seed"][place])
        price, before = int(evidence["price"][place]), int(evidence["seed_price"][place])
        one, title = int(evidence["one"][place]), state.cards.title(seed)
        counts: dict[str, int | float | str] = {"seed": columns.ids[seed]}
        if price >= 0 and before >= 0:
            counts["price"] = money(columns, row, price)
            counts["seed_price"] = money(columns, seed, before)
        kind = int(evidence["kind"][place])
        if kind == BUNDLE:
            counts |= {
                "saving": money(columns, row, one),
                "singly": money(columns, row, int(evidence["two"][place])),
            }
            return Reason("bundle", f"Holds {title} and saves {counts['saving']}", counts=counts)
        if kind == LINKED:
            return Reason("upgrade", f"The step up from {title}", counts=counts | {"linked": 1})
        counts["shared"] = one
        stars = float(columns.rating[row]), float(columns.rating[seed])
        if np.isfinite(stars).all():
            counts |= {"rating": round(stars[0], 2), "seed_rating": round(stars[1], 2)}
        return Reason("upgrade", f"Like {title}, a step up", counts=counts)
