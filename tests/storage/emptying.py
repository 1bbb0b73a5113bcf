"""Emptying a server's store between tests."""

from endcap.storage.sql.tables import metadata


def empty(store):
    if hasattr(store, "database"):
        for name in store.database.list_collection_names():
            if name != "schema":
                store.database[name].delete_many({})
        return
    with store.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name not in ("schema_version", "alembic_version"):
                connection.execute(table.delete())
