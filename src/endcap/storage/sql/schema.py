"""Bringing a database to the schema of this version."""

from sqlalchemy import Engine, insert, select

from endcap.core.errors import ConfigurationError

from .tables import SCHEMA_VERSION, metadata, schema_version


def ensure_schema(engine: Engine) -> None:
    """Make the tables of an empty database. Raises ConfigurationError when they are newer."""
    with engine.begin() as connection:
        metadata.create_all(connection)
        version = connection.execute(select(schema_version.c.version)).scalar()
        if version is None:
            connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
        elif version > SCHEMA_VERSION:
            raise ConfigurationError(
                f"the store has schema {version}, this Endcap knows {SCHEMA_VERSION}; install the "
                "newer Endcap that wrote it"
            )
