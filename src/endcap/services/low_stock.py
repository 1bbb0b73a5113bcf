"""Notices when a product's stock falls to a level: once, when it passes it."""

from collections.abc import Sequence

import numpy as np

from endcap.core.product import ProductDocument

from .announcing import Announce
from .live import LiveState

SHOWN = 100


class LowStock:
    """Passes catalogue changes on to the live state, and looks at the stock before and after."""

    def __init__(self, live: LiveState, level: int, announce: Announce) -> None:
        self._live = live
        self._level = level
        self._announce = announce

    async def changed(self, shop: str, documents: list[ProductDocument]) -> None:
        """As `LiveState.changed`; products new with little stock are told of by nobody."""
        columns = self._live.state(shop).columns
        ids = [d.id for d in documents if not d.deleted and columns.row(d.id) is not None]
        before = columns.stock[columns.rows(ids)]
        await self._live.changed(shop, documents)
        columns = self._live.state(shop).columns
        after = columns.stock[columns.rows(ids)]
        fell = (before > self._level) & (after >= 0) & (after <= self._level)
        low: Sequence[int] = np.flatnonzero(fell).tolist()
        if low:
            products = [{"id": ids[n], "stock": int(after[n])} for n in low[:SHOWN]]
            data = {"level": self._level, "count": len(low), "products": products}
            await self._announce(shop, "stock.low", data)
