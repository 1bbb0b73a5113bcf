"""Instead of the seed: alike and of the same category, cheaper or dearer within a band."""

from typing import Any, Literal

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.likeness import money, price_ratio, share_category
from endcap.recommend.query import Query, State
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever


class Alternatives(Retriever, frozen=True, kw_only=True):
    """`price` is `cheaper`, `dearer` or `any`; `band` is how far the price may be off, as a part
    of the seed's (0.5: half as much again, or two thirds)."""

    price: Literal["any", "cheaper", "dearer"] = "any"
    band: float = 0.5

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """Partners by likeness whose price fits, the closest to the seed first."""
        if not len(query.seeds):
            return NOTHING
        seed = int(query.seeds[0])
        pairs = state.joined.pairs("similar", seed)
        if not len(pairs.items):
            return NOTHING
        ratio = price_ratio(query, state, pairs.items, seed)
        low = 1.0 / (1.0 + self.band) if self.price != "dearer" else np.nextafter(1.0, 2.0)
        high = 1.0 + self.band if self.price != "cheaper" else np.nextafter(1.0, 0.0)
        keep = (ratio >= low) & (ratio <= high) & allow(pairs.items)
        if state.columns.categories[seed].any():
            keep &= share_category(state.columns, pairs.items, query.seeds[:1])
        if not keep.any():
            return NOTHING
        rows = pairs.items[keep]
        prices = state.columns.price_in(np.append(rows, seed).astype(np.int32), query.zone)
        evidence = {
            "row": rows,
            "seed": pairs.seed[keep],
            "shared": state.joined.evidence("similar", "shared", pairs.place[keep]),
            "price": prices[:-1],
            "seed_price": np.full(len(rows), prices[-1]),
        }
        return Found(rows, pairs.scores[keep], evidence)

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """Both prices, and how many attributes are shared."""
        columns, seed = state.columns, int(evidence["seed"][place])
        price, before = int(evidence["price"][place]), int(evidence["seed_price"][place])
        off = round(100 * abs(price - before) / before)
        word = "cheaper" if price < before else "dearer"
        title = state.cards.title(seed)
        text = f"Like {title}, {off} % {word}" if off else f"Like {title}, at the same price"
        counts: dict[str, int | float | str] = {
            "seed": columns.ids[seed],
            "price": money(columns, int(evidence["row"][place]), price),
            "seed_price": money(columns, seed, before),
            "shared": int(evidence["shared"][place]),
        }
        return Reason("alternative", text, counts=counts)
