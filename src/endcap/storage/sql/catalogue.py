"""The catalogue port on SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from endcap.core.product import ProductDocument, ProductWrite
from endcap.storage.memory_catalogue import next_document

from .heads import CATALOGUE, advance, set_head
from .sessions import Sessions
from .tables import products

ASKED = 500
_COLUMNS = (
    products.c.id,
    products.c.version,
    products.c.change,
    products.c.updated_at,
    products.c.deleted,
    products.c.body,
    products.c.history,
)


class SqlCatalogue:
    """Products as rows; a deleted one keeps its row."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def write(
        self, shop: str, writes: Sequence[ProductWrite], at: int
    ) -> list[ProductDocument | None]:
        """See the port."""

        def work(connection: Connection) -> list[ProductDocument | None]:
            results: list[ProductDocument | None] = []
            change = advance(connection, shop, CATALOGUE, 0)
            before = _stored(connection, shop, sorted({write.id for write in writes}))
            known = set(before)
            for write in writes:
                result = next_document(before.get(write.id), write, change + 1, at)
                if result is not None:
                    change += 1
                    before[write.id] = result
                results.append(result)
            set_head(connection, shop, CATALOGUE, change)
            _store(connection, shop, [before[w.id] for w in writes if w.id in before], known)
            return results

        return self._sessions.transact(work)

    def get(self, shop: str, product: str) -> ProductDocument | None:
        """See the port."""
        wanted = _select(shop).where(products.c.id == product, ~products.c.deleted)
        found = self._read(wanted)
        return found[0] if found else None

    def page(self, shop: str, after: str, limit: int) -> list[ProductDocument]:
        """See the port."""
        beyond = _select(shop).where(products.c.id > after, ~products.c.deleted)
        return self._read(beyond.order_by(products.c.id).limit(limit))

    def changes(self, shop: str, since: int, limit: int) -> list[ProductDocument]:
        """See the port."""
        newer = _select(shop).where(products.c.change > since)
        return self._read(newer.order_by(products.c.change).limit(limit))

    def _read(self, query: Select[Any]) -> list[ProductDocument]:
        with self._sessions.read() as connection:
            return [_document(row) for row in connection.execute(query)]


def _select(shop: str) -> Select[Any]:
    return select(*_COLUMNS).where(products.c.shop == shop)


def _document(row: Row[Any]) -> ProductDocument:
    return ProductDocument(
        row.id,
        row.version,
        row.change,
        row.updated_at,
        bool(row.deleted),
        bytes(row.body),
        bytes(row.history),
    )


def _stored(connection: Connection, shop: str, ids: Sequence[str]) -> dict[str, ProductDocument]:
    found: dict[str, ProductDocument] = {}
    for start in range(0, len(ids), ASKED):
        some = _select(shop).where(products.c.id.in_(ids[start : start + ASKED]))
        found.update((row.id, _document(row)) for row in connection.execute(some))
    return found


def _store(
    connection: Connection, shop: str, documents: Sequence[ProductDocument], known: set[str]
) -> None:
    latest = {document.id: document for document in documents}
    # Out and in again: two statements for any number of rows.
    old = sorted(known & latest.keys())
    for start in range(0, len(old), ASKED):
        some = products.c.id.in_(old[start : start + ASKED])
        connection.execute(delete(products).where(products.c.shop == shop, some))
    if latest:
        connection.execute(insert(products), [_values(shop, d) for d in latest.values()])


def _values(shop: str, document: ProductDocument) -> dict[str, Any]:
    return {
        "shop": shop,
        "id": document.id,
        "version": document.version,
        "change": document.change,
        "updated_at": document.updated_at,
        "deleted": document.deleted,
        "body": document.body,
        "history": document.history,
    }
