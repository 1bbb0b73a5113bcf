"""The catalogue port in memory: the reference the other engines are held to."""

from collections.abc import Sequence

from endcap.core.errors import VersionConflict
from endcap.core.product import ProductDocument, ProductWrite
from endcap.core.product_history import continued


class MemoryCatalogue:
    """Documents by shop and id."""

    def __init__(self) -> None:
        self._shops: dict[str, dict[str, ProductDocument]] = {}
        self._change: dict[str, int] = {}

    def write(
        self, shop: str, writes: Sequence[ProductWrite], at: int
    ) -> list[ProductDocument | None]:
        """See the port."""
        documents = dict(self._shops.get(shop, {}))
        change = self._change.get(shop, 0)
        results: list[ProductDocument | None] = []
        for write in writes:
            result = next_document(documents.get(write.id), write, change + 1, at)
            if result is not None:
                change += 1
                documents[write.id] = result
            results.append(result)
        self._shops[shop], self._change[shop] = documents, change
        return results

    def get(self, shop: str, product: str) -> ProductDocument | None:
        """See the port."""
        document = self._shops.get(shop, {}).get(product)
        return None if document is None or document.deleted else document

    def page(self, shop: str, after: str, limit: int) -> list[ProductDocument]:
        """See the port."""
        live = [d for d in self._shops.get(shop, {}).values() if not d.deleted]
        beyond = [d for d in live if d.id.encode() > after.encode()]
        return sorted(beyond, key=lambda d: d.id.encode())[:limit]

    def changes(self, shop: str, since: int, limit: int) -> list[ProductDocument]:
        """See the port."""
        newer = [d for d in self._shops.get(shop, {}).values() if d.change > since]
        return sorted(newer, key=lambda d: d.change)[:limit]


def next_document(
    before: ProductDocument | None, write: ProductWrite, change: int, at: int
) -> ProductDocument | None:
    """The document a write makes of the one before; None for a delete of nothing.

    Raises VersionConflict when the write expects another version.
    """
    gone = before is None or before.deleted
    live_version = 0 if before is None or gone else before.version
    if write.expected is not None and write.expected != live_version:
        raise VersionConflict(f"`{write.id}` is at version {live_version}, not {write.expected}")
    if write.body is None and gone:
        return None
    version = (before.version if before else 0) + 1
    kept, past = (before.body, before.history) if before else (b"", b"")
    if write.body is None:
        return ProductDocument(write.id, version, change, at, True, kept, past)
    history = continued(past, None if gone else kept, write.body, at)
    return ProductDocument(write.id, version, change, at, False, write.body, history)
