"""Links made by hand: accessories, upgrades and bundles, by row; few products have any."""

from endcap.core.product import BundleMember, Product


class LinkIndex:
    """Links by the row that has them, and bundles by the id of each product inside.

    The other end of a link is an id: it may name a product that comes later or was taken out.
    """

    def __init__(self) -> None:
        self.accessories: dict[int, tuple[str, ...]] = {}
        self.upgrades: dict[int, tuple[str, ...]] = {}
        self.bundles: dict[int, tuple[BundleMember, ...]] = {}
        self._holding: dict[str, dict[int, None]] = {}

    def holding(self, product: str) -> list[int]:
        """The rows of the bundles that hold a product, by row."""
        return sorted(self._holding.get(product, ()))

    def fill(self, row: int, product: Product) -> None:
        """Take over a product's links in place of those it had."""
        self.clear(row)
        links = product.links
        if links is None:
            return
        if links.accessories:
            self.accessories[row] = tuple(dict.fromkeys(links.accessories))
        if links.upgrades:
            self.upgrades[row] = tuple(dict.fromkeys(links.upgrades))
        if links.bundle:
            self.bundles[row] = tuple(links.bundle)
            for member in links.bundle:
                self._holding.setdefault(member.id, {})[row] = None

    def clear(self, row: int) -> None:
        """Forget a product's links."""
        self.accessories.pop(row, None)
        self.upgrades.pop(row, None)
        for member in self.bundles.pop(row, ()):
            holders = self._holding[member.id]
            holders.pop(row, None)
            if not holders:
                del self._holding[member.id]
