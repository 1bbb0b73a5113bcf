"""The tables, once for every SQL engine. Each row carries the shop it belongs to.

Ids are compared byte by byte; SQLite's TEXT does so by itself, other engines get their exact type
here when they are added.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

SCHEMA_VERSION = 1

metadata = MetaData()
# SQLite numbers rows by itself only for a column declared exactly INTEGER PRIMARY KEY.
Place = BigInteger().with_variant(Integer, "sqlite")
Id = String(800)

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

products = Table(
    "products",
    metadata,
    Column("shop", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("history", LargeBinary, nullable=False),
    Index("products_change", "shop", "change", unique=True),
)

events = Table(
    "events",
    metadata,
    Column("seq", Place, primary_key=True),
    Column("shop", Id, nullable=False),
    Column("source", Id, nullable=False),
    Column("event_id", Id, nullable=False),
    Column("type", String(20), nullable=False),
    Column("visitor", Id, nullable=False),
    Column("session", Id),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("shop", "source", "event_id", name="events_once"),
    Index("events_visitor", "shop", "visitor", "seq"),
    # A place is never given twice, not even after the newest rows were erased.
    sqlite_autoincrement=True,
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("seq", Place, primary_key=True),
    Column("shop", Id, nullable=False),
    Column("source", Id, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("code", String(100), nullable=False),
    Column("reason", String(2000), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

control = Table(
    "control",
    metadata,
    Column("shop", Id, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("name", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", LargeBinary),
    Column("author", Id, nullable=False),
    Column("note", String(2000), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
