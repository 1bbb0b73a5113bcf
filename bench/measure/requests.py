"""The requests that benchmarks send: what visitors of a synthetic shop would ask."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

from synthetic.archive import visitor_id
from synthetic.catalogue import product_id

from .load import http

# How often each placement is asked for: as pages of a shop are seen.
MIX = (
    ("product", 0.45),
    ("home", 0.20),
    ("cart", 0.10),
    ("similar", 0.10),
    ("popular", 0.05),
    ("recently_viewed", 0.05),
    ("order", 0.03),
    ("also_bought", 0.02),
)


class Ask(NamedTuple):
    """One request for recommendations."""

    placement: str
    parameters: dict[str, str | list[str]]

    def raw(self) -> bytes:
        """As HTTP."""
        query = urlencode(self.parameters, doseq=True)
        return http("GET", f"/v1/recommendations/{self.placement}?{query}")


def mixed(folder: Path, count: int, seed: int = 5) -> list[Ask]:
    """`count` requests of the newest visitors about what they looked at; the same each time."""
    chance = np.random.default_rng(seed)
    with np.load(folder / "newest.npz") as newest:
        visitors, products = newest["visitor"], newest["product"]
    rows = chance.integers(0, len(visitors) - 3, count)
    names = chance.choice([name for name, _ in MIX], count, p=[share for _, share in MIX])
    return [
        _ask(str(name), int(visitors[row]), products[row : row + 3].tolist())
        for name, row in zip(names, rows, strict=True)
    ]


def _ask(placement: str, visitor: int, products: list[int]) -> Ask:
    parameters: dict[str, str | list[str]] = {"visitor": visitor_id(visitor)}
    if placement in ("product", "similar", "also_bought"):
        parameters["seed"] = product_id(products[0])
    if placement == "cart":
        parameters["cart"] = [product_id(number) for number in dict.fromkeys(products)]
    return Ask(placement, parameters)
