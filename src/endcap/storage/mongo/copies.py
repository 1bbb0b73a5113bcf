"""Copies of MongoDB stores."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from endcap.storage.copies import PAGE, Head, Row, refuse_filled

from .sessions import Document, MongoSessions, joined

# Places are the `_id` of what is appended to; the others have an `_id` made of their keys.
PLACES = ("events", "dead_letters")
KEYS = {"products": ("shop", "id"), "control": ("shop", "kind", "name", "version")}
TABLES = (*PLACES, *KEYS)
LOGS = {"log": "events", "dead_letters": "dead_letters"}
CONTROL = "control/"


class MongoReading:
    """The store collection by collection; what was there at the beginning is in it."""

    def __init__(self, store: MongoSessions) -> None:
        self._database = store.database
        self._heads = list(store.database.heads.find())

    def tables(self) -> list[str]:
        """See Reading."""
        return list(TABLES)

    def rows(self, table: str) -> Iterator[list[Row]]:
        """See Reading."""
        wanted: Document = {}
        if table in PLACES:
            # A place with no shop is only a mark that it was taken away from a dead writer.
            wanted = {"shop": {"$ne": ""}, "_id": {"$lte": self._last(table)}}
        found = iter(self._database[table].find(wanted).sort("_id", 1))
        while page := list(islice(found, PAGE)):
            yield [_row(table, document) for document in page]

    def heads(self) -> list[Head]:
        """See Reading."""
        return [_head(document) for document in self._heads]

    def _last(self, stream: str) -> int:
        return max((d["last"] for d in self._heads if d["_id"] == stream), default=0)


class MongoFilling:
    """Fills the collections; a copy that breaks off leaves them partly filled."""

    def __init__(self, store: MongoSessions) -> None:
        self._database = store.database

    def fill(self, table: str, rows: list[Row]) -> None:
        """See Filling."""
        self._database[table].insert_many([_document(table, row) for row in rows], ordered=False)

    def finish(self, heads: Iterable[Head]) -> dict[str, int]:
        """See Filling."""
        self._database.heads.delete_many({})
        documents = [_head_document(head) for head in heads]
        if documents:
            self._database.heads.insert_many(documents)
        return _counts(self._database)


@contextmanager
def mongo_reading(store: MongoSessions) -> Iterator[MongoReading]:
    """A view of the whole store."""
    with store.errors():
        yield MongoReading(store)


@contextmanager
def mongo_filling(store: MongoSessions) -> Iterator[MongoFilling]:
    """The store to fill. Raises ConfigurationError when it is not empty."""
    with store.errors():
        refuse_filled(_counts(store.database))
        yield MongoFilling(store)


def _counts(database: object) -> dict[str, int]:
    counts = {}
    for table in TABLES:
        collection = database[table]  # type: ignore[index]
        wanted = {"shop": {"$ne": ""}} if table in PLACES else {}
        counts[table] = int(collection.count_documents(wanted))
    return counts


def _row(table: str, document: Document) -> Row:
    key = document.pop("_id")
    if table in PLACES:
        document["seq"] = key
    return document


def _document(table: str, row: Row) -> Document:
    if table in PLACES:
        values = dict(row)
        return {"_id": values.pop("seq"), **values}
    if table not in KEYS:
        return dict(row)
    return {"_id": joined(*(row[name] for name in KEYS[table])), **row}


def _head(document: Document) -> Head:
    for stream, name in LOGS.items():
        if document["_id"] == name:
            return Head("", stream, int(document["last"]))
    kind, shop, *rest = str(document["_id"]).split("\0")
    return Head(shop, f"{CONTROL}{rest[0]}" if rest else kind, int(document["last"]))


def _head_document(head: Head) -> Document:
    if head.stream in LOGS:
        return {"_id": LOGS[head.stream], "last": head.value, "pending": []}
    if head.stream.startswith(CONTROL):
        kind = head.stream.removeprefix(CONTROL)
        key = joined("control", head.shop, kind)
        return {"_id": key, "last": head.value, "shop": head.shop, "kind": kind}
    return {"_id": joined(head.stream, head.shop), "last": head.value, "turn": 0}
