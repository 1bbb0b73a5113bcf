"""What a shop front shows beside recommendations: its categories, and cards of products."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from endcap.core.ports import Control

from .live import LiveState

DEMO = "demo"


class ShopCategory(msgspec.Struct, frozen=True):
    """A category with how many products that can be sold are in it or below it."""

    path: str
    products: int


class Shopfront:
    """Reads the catalogue in memory."""

    def __init__(self, live: LiveState, control: Control) -> None:
        self._live = live
        self._control = control

    def is_demo(self, shop: str) -> bool:
        """Whether the shop holds the demo's data. Reads the store."""
        return bool(self._control.latest(shop, DEMO))

    def categories(self, shop: str) -> list[ShopCategory]:
        """Every category that has something to sell, by path."""
        columns = self._live.state(shop).columns
        size = len(columns)
        sellable = columns.alive[:size] & columns.sellable[:size]
        codes = columns.categories[:size][sellable]
        found = []
        for path in columns.tree.symbols.names:
            subtree = columns.tree.subtree(path) if path else None
            if subtree is None:
                continue
            count = int(np.any(subtree[codes], axis=1).sum())
            if count:
                found.append(ShopCategory(path, count))
        return sorted(found, key=lambda one: one.path)

    def cards(self, shop: str, products: Sequence[str]) -> list[dict[str, Any]]:
        """Fields of the products that are in the catalogue, with their `id` and `can_be_sold`."""
        state = self._live.state(shop)
        found = []
        for product in products:
            row = state.columns.row(product)
            if row is not None:
                fields: dict[str, Any] = msgspec.json.decode(state.columns.body(row))
                sold = bool(state.columns.sellable[row])
                found.append({**fields, "id": product, "can_be_sold": sold})
        return found
