"""The catalogue port on MongoDB."""

from collections.abc import Iterable, Sequence

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from endcap.core.product import ProductDocument, ProductWrite
from endcap.storage.memory_catalogue import next_document

from .sessions import Document, MongoSessions, joined


class MongoCatalogue:
    """Products as documents; a deleted one keeps its document."""

    def __init__(self, store: MongoSessions) -> None:
        self._store = store
        self._rows = store.database.products
        self._heads = store.database.heads

    def write(
        self, shop: str, writes: Sequence[ProductWrite], at: int
    ) -> list[ProductDocument | None]:
        """See the port."""

        def work(session: ClientSession) -> list[ProductDocument | None]:
            change = self._hold(shop, session)
            before = self._stored(shop, [write.id for write in writes], session)
            known = set(before)
            changed: dict[str, ProductDocument] = {}
            results: list[ProductDocument | None] = []
            for write in writes:
                result = next_document(before.get(write.id), write, change + 1, at)
                if result is not None:
                    change += 1
                    before[write.id] = changed[write.id] = result
                results.append(result)
            if changed:
                self._rows.delete_many(_these(shop, known & changed.keys()), session=session)
                fresh = [_values(shop, document) for document in changed.values()]
                self._rows.insert_many(fresh, session=session)
                name = {"_id": joined("catalogue", shop)}
                self._heads.update_one(name, {"$set": {"last": change}}, session=session)
            return results

        return self._store.transact(work)

    def get(self, shop: str, product: str) -> ProductDocument | None:
        """See the port."""
        with self._store.errors():
            found = self._rows.find_one({"_id": joined(shop, product), "deleted": False})
        return None if found is None else _document(found)

    def page(self, shop: str, after: str, limit: int) -> list[ProductDocument]:
        """See the port."""
        with self._store.errors():
            wanted = {"shop": shop, "id": {"$gt": after}, "deleted": False}
            return [_document(d) for d in self._rows.find(wanted).sort("id", 1).limit(limit)]

    def changes(self, shop: str, since: int, limit: int) -> list[ProductDocument]:
        """See the port."""
        with self._store.errors():
            wanted = {"shop": shop, "change": {"$gt": since}}
            return [_document(d) for d in self._rows.find(wanted).sort("change", 1).limit(limit)]

    def _hold(self, shop: str, session: ClientSession) -> int:
        # Whoever else writes to this document meets a conflict and starts over: one at a time.
        head = self._heads.find_one_and_update(
            {"_id": joined("catalogue", shop)},
            {"$inc": {"turn": 1, "last": 0}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        assert head is not None
        return int(head["last"])

    def _stored(
        self, shop: str, ids: Sequence[str], session: ClientSession
    ) -> dict[str, ProductDocument]:
        found = self._rows.find(_these(shop, ids), session=session)
        return {d["id"]: _document(d) for d in found}


def _these(shop: str, ids: Iterable[str]) -> Document:
    return {"_id": {"$in": [joined(shop, product) for product in ids]}}


def _values(shop: str, document: ProductDocument) -> Document:
    fields = {name: getattr(document, name) for name in ProductDocument.__struct_fields__}
    return {"_id": joined(shop, document.id), "shop": shop, **fields}


def _document(found: Document) -> ProductDocument:
    return ProductDocument(**{name: found[name] for name in ProductDocument.__struct_fields__})
