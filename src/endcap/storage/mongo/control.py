"""The control port on MongoDB."""

import msgspec
from pymongo.client_session import ClientSession

from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord

from .sessions import Document, MongoSessions, joined

STREAM = "control"


class MongoControl:
    """Versions as documents that are only ever added."""

    def __init__(self, store: MongoSessions) -> None:
        self._store = store
        self._rows = store.database.control
        self._heads = store.database.heads

    def put(self, shop: str, record: ControlRecord, expected: int | None) -> ControlRecord:
        """See the port."""

        def work(session: ClientSession) -> ControlRecord:
            self._heads.update_one(
                {"_id": joined(STREAM, shop, record.kind)},
                {"$inc": {"last": 1}, "$set": {"shop": shop, "kind": record.kind}},
                upsert=True,
                session=session,
            )
            wanted = {"shop": shop, "kind": record.kind, "name": record.name}
            newest = self._rows.find_one(wanted, sort=[("version", -1)], session=session)
            version = newest["version"] if newest else 0
            if expected is not None and expected != version:
                raise VersionConflict(
                    f"{record.kind} `{record.name}` is at version {version}, not {expected}"
                )
            stored = msgspec.structs.replace(record, version=version + 1)
            name = joined(shop, record.kind, record.name, stored.version)
            fields = msgspec.structs.asdict(stored)
            self._rows.insert_one({"_id": name, "shop": shop, **fields}, session=session)
            return stored

        return self._store.transact(work)

    def get(self, shop: str, kind: str, name: str, version: int | None) -> ControlRecord | None:
        """See the port."""
        wanted: Document = {"shop": shop, "kind": kind, "name": name}
        if version is not None:
            wanted["version"] = version
        with self._store.errors():
            found = self._rows.find_one(wanted, sort=[("version", -1)])
        return None if found is None else _record(found)

    def latest(self, shop: str, kind: str) -> list[ControlRecord]:
        """See the port."""
        return self._live({"shop": shop, "kind": kind}, None)

    def page(self, shop: str, kind: str, after: str, limit: int) -> list[ControlRecord]:
        """See the port."""
        return self._live({"shop": shop, "kind": kind, "name": {"$gt": after}}, limit)

    def history(self, shop: str, kind: str, name: str) -> list[ControlRecord]:
        """See the port."""
        with self._store.errors():
            found = self._rows.find({"shop": shop, "kind": kind, "name": name})
            return [_record(document) for document in found.sort("version", -1)]

    def purge(self, shop: str, kind: str, name: str) -> int:
        """See the port."""

        def work(session: ClientSession) -> int:
            wanted = {"shop": shop, "kind": kind, "name": name}
            gone = self._rows.delete_many(wanted, session=session).deleted_count
            if gone:
                self._heads.update_one(
                    {"_id": joined(STREAM, shop, kind)},
                    {"$inc": {"last": 1}, "$set": {"shop": shop, "kind": kind}},
                    upsert=True,
                    session=session,
                )
            return gone

        return self._store.transact(work)

    def marks(self, shop: str) -> dict[str, int]:
        """See the port."""
        with self._store.errors():
            found = self._heads.find({"shop": shop, "kind": {"$exists": True}})
            return {document["kind"]: int(document["last"]) for document in found}

    def _live(self, wanted: Document, limit: int | None) -> list[ControlRecord]:
        steps: list[Document] = [
            {"$match": wanted},
            {"$sort": {"name": 1, "version": -1}},
            {"$group": {"_id": "$name", "newest": {"$first": "$$ROOT"}}},
            {"$match": {"newest.body": {"$ne": None}}},
            {"$sort": {"_id": 1}},
        ]
        if limit is not None:
            steps.append({"$limit": limit})
        with self._store.errors():
            return [_record(found["newest"]) for found in self._rows.aggregate(steps)]


def _record(found: Document) -> ControlRecord:
    fields = ControlRecord.__struct_fields__
    return ControlRecord(**{name: found[name] for name in fields})
