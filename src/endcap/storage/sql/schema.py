"""Bringing a database to the schema of this version."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, text

from endcap.core.errors import ConfigurationError

from .tables import SCHEMA_VERSION, schema_version

HEAD = "0002"
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x656E6463  # "endc"
LOCK_NAME = "endcap-migrate"
WAIT_SECONDS = 60


def ensure_schema(engine: Engine, itself: bool) -> None:
    """Make the tables of an empty database; with `itself` migrate an older one too.

    Raises ConfigurationError when the schema is older (and `itself` is false) or too new. One that
    is only somewhat newer is worked with, so that versions can be exchanged one by one.
    """
    found = revision(engine)
    if found is None or (itself and found < HEAD):
        migrate(engine)
    elif found < HEAD:
        raise ConfigurationError(
            f"the store has schema {found}, this Endcap needs {HEAD}: run `endcap migrate` (the "
            "servers may go on running meanwhile)"
        )
    _refuse_newer(engine)


def revision(engine: Engine) -> str | None:
    """The newest migration the database has; None when it is empty."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing; when several processes try, one does it."""
    # Heavy, and hardly ever needed.
    from alembic import command
    from alembic.config import Config

    with engine.connect() as connection, _alone(connection):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _refuse_newer(engine: Engine) -> None:
    with engine.connect() as connection:
        version = connection.execute(select(schema_version.c.version)).scalar() or 0
    if version > SCHEMA_VERSION:
        raise ConfigurationError(
            f"the store has schema {version}, this Endcap knows {SCHEMA_VERSION}; install the "
            "newer Endcap that wrote it"
        )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Holds the server's lock for migrations; SQLite has one process anyway."""
    name = connection.dialect.name
    if name == "sqlite":
        yield
        return
    if name == "postgresql":
        # Waiting for the lock is meant; waiting for a table's is not: it would stop the others.
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        take, free = f"SELECT pg_advisory_lock({LOCK})", f"SELECT pg_advisory_unlock({LOCK})"
    else:
        take = f"SELECT GET_LOCK('{LOCK_NAME}', {WAIT_SECONDS})"
        free = f"SELECT RELEASE_LOCK('{LOCK_NAME}')"
    connection.execute(text(take))
    if name == "postgresql":
        connection.execute(text("SET lock_timeout = '2s'"))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(free))
        connection.commit()
        # The session's settings above must not reach the next user of the connection.
        connection.invalidate()
