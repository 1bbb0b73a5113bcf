"""A store on MongoDB: a replica set, every write acknowledged by a majority's journals."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pymongo import ASCENDING, MongoClient, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.errors import ConfigurationError as BadAddress
from pymongo.errors import DuplicateKeyError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri

from endcap.core.errors import ConfigurationError, StoreUnavailable
from endcap.core.failures import said

from .catalogue import MongoCatalogue
from .control import MongoControl
from .copies import MongoFilling, MongoReading, mongo_filling, mongo_reading
from .event_log import MongoEventLog
from .leases import MongoLeases

T = TypeVar("T")
Document = dict[str, Any]
DEFAULT_DATABASE = "endcap"
SELECT_MS = 3_000
SOCKET_MS = 15_000
SAFE = WriteConcern(w="majority", j=True, wtimeout=10_000)
NOT_ALLOWED = 13
SCHEMA_VERSION = 1


class PlainIntegers(TypeDecoder):
    """Integers as integers: the driver's own kind of them cannot be encoded further on."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        """Called for each number of 64 bits read."""
        return int(value)


_CODECS: CodecOptions[Document] = CodecOptions(type_registry=TypeRegistry([PlainIntegers()]))


class MongoStore:
    """Opens the store at `url` and gives its ports: `catalogue`, `events`, `control`, `leases`.

    Raises ConfigurationError when the server is not there or would lose what it acknowledged.
    """

    shared = True

    def __init__(self, url: str) -> None:
        self._client: MongoClient[Document] = _client(url)
        try:
            _check(self._client, url)
            name = self._client.get_default_database(DEFAULT_DATABASE).name
            self.database = self._client.get_database(
                name, _CODECS, write_concern=SAFE, read_concern=ReadConcern("majority")
            )
            _make_indexes(self)
        except PyMongoError as error:
            self._client.close()
            raise ConfigurationError(f"store_url: MongoDB: {error}") from error
        except Exception:
            self._client.close()
            raise
        self.catalogue = MongoCatalogue(self)
        self.events = MongoEventLog(self)
        self.control = MongoControl(self)
        self.leases = MongoLeases(self)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the driver raises into StoreUnavailable."""
        try:
            yield
        except PyMongoError as error:
            raise StoreUnavailable(f"the store refused: {said(error)}") from error

    def transact(self, work: Callable[[ClientSession], T]) -> T:
        """Run `work` in one durable transaction, again when it met another.

        What `work` raises ends the transaction with nothing stored. Raises StoreUnavailable.
        """
        with self.errors(), self._client.start_session() as session:
            return session.with_transaction(
                work, read_concern=ReadConcern("snapshot"), write_concern=SAFE
            )

    def reading(self) -> AbstractContextManager[MongoReading]:
        """See Copyable."""
        return mongo_reading(self)

    def filling(self) -> AbstractContextManager[MongoFilling]:
        """See Copyable."""
        return mongo_filling(self)

    def describe(self, about: dict[str, object]) -> None:
        """Nothing to tell: a server has no holder."""

    def close(self) -> None:
        """Close every connection."""
        self._client.close()


def unsafe(hello: Document, status: Document, options: Document) -> str | None:
    """Why acknowledged events could be lost with this server and address, or None."""
    if options.get("journal") is False or options.get("w") in (0, "0"):
        return "the address asks for journal=false or w=0"
    if "setName" not in hello:
        return "the server is no replica set (one member is enough: rs.initiate())"
    engine = status.get("storageEngine", {})
    if engine.get("persistent") is False:
        return f"the storage engine {engine.get('name')} keeps nothing on disk"
    return None


def _client(url: str) -> MongoClient[Document]:
    try:
        return MongoClient(
            url,
            serverSelectionTimeoutMS=SELECT_MS,
            connectTimeoutMS=SELECT_MS,
            socketTimeoutMS=SOCKET_MS,
            maxPoolSize=16,
            waitQueueTimeoutMS=SELECT_MS,
            appname="endcap",
        )
    except (BadAddress, InvalidURI, ValueError) as error:
        raise ConfigurationError(f"store_url: {error}") from error


def _check(client: MongoClient[Document], url: str) -> None:
    hello = client.admin.command("hello")
    try:
        status = client.admin.command("serverStatus")
    except OperationFailure as error:
        if error.code != NOT_ALLOWED:
            raise
        status = {}
    problem = unsafe(hello, status, dict(parse_uri(url)["options"]))
    if problem:
        raise ConfigurationError(f"MongoDB: {problem}; acknowledged events could be lost")


def _make_indexes(store: MongoStore) -> None:
    database = store.database
    database.products.create_index([("shop", ASCENDING), ("id", ASCENDING)], unique=True)
    database.products.create_index([("shop", ASCENDING), ("change", ASCENDING)], unique=True)
    once = [("shop", ASCENDING), ("source", ASCENDING), ("event_id", ASCENDING)]
    database.events.create_index(once, unique=True, name="events_once")
    database.events.create_index([("shop", ASCENDING), ("visitor", ASCENDING), ("_id", ASCENDING)])
    for places in (database.events, database.dead_letters):
        places.create_index([("shop", ASCENDING), ("_id", ASCENDING)])
    _check_schema(store)
    named = [("shop", ASCENDING), ("kind", ASCENDING), ("name", ASCENDING), ("version", ASCENDING)]
    database.control.create_index(named, unique=True)


def _check_schema(store: MongoStore) -> None:
    version = {"$setOnInsert": {"version": SCHEMA_VERSION}}
    with contextlib.suppress(DuplicateKeyError):
        store.database.schema.update_one({"_id": "schema"}, version, upsert=True)
    found = store.database.schema.find_one({"_id": "schema"}) or {"version": SCHEMA_VERSION}
    if found["version"] > SCHEMA_VERSION:
        raise ConfigurationError(
            f"the store has schema {found['version']}, this Endcap knows {SCHEMA_VERSION}; install "
            "the newer Endcap that wrote it"
        )
