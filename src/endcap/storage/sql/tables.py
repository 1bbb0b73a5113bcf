"""The tables, once for every SQL engine. Each row carries the shop it belongs to.

A change here comes with a migration in `migrations/versions`, and HEAD in `schema.py` names it; a
test compares what the migrations make with what stands here, on every engine. A change must let
the version before go on working (add, never rename or drop); one that cannot raises
SCHEMA_VERSION, which older versions then refuse.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from .columns import Body, Exact, Id, Place

SCHEMA_VERSION = 1

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# How far each stream of a shop has come. Whoever appends to a stream holds its row until the
# commit, so that places are given in the order of commits and a reader never skips one.
heads = Table(
    "heads",
    metadata,
    Column("shop", Id, primary_key=True),
    Column("stream", Exact(60), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

products = Table(
    "products",
    metadata,
    Column("shop", Id, primary_key=True),
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("body", Body, nullable=False),
    Column("history", Body, nullable=False),
    Index("products_change", "shop", "change", unique=True),
)

events = Table(
    "events",
    metadata,
    Column("seq", Place, primary_key=True),
    Column("shop", Id, nullable=False),
    Column("source", Id, nullable=False),
    Column("event_id", Id, nullable=False),
    Column("type", Exact(20), nullable=False),
    Column("visitor", Id, nullable=False),
    Column("session", Id),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", Body, nullable=False),
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
    Column("code", Exact(100), nullable=False),
    Column("reason", Exact(2_000), nullable=False),
    Column("payload", Body, nullable=False),
    Column("visitor", Id, nullable=False, server_default=""),
    Index("dead_letters_visitor", "shop", "visitor"),
    sqlite_autoincrement=True,
)

control = Table(
    "control",
    metadata,
    Column("shop", Id, primary_key=True),
    Column("kind", Exact(40), primary_key=True),
    Column("name", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", Body),
    Column("author", Id, nullable=False),
    Column("note", Exact(2_000), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Who does the work that only one process may do; `beat` rises as long as it lives.
leases = Table(
    "leases",
    metadata,
    Column("name", Exact(60), primary_key=True),
    Column("holder", Id, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
