"""Migrations make what tables.py says, one process runs them, and versions overlap."""

import threading

import pytest
from sqlalchemy import create_engine, inspect, text
from test_event_log_port import SHOP, event

from endcap.core.errors import ConfigurationError
from endcap.storage.sql import schema
from endcap.storage.sql.dialects import dialect_of
from endcap.storage.sql.schema import HEAD, ensure_schema, migrate, revision
from endcap.storage.sql.sqlite import SqliteStore
from endcap.storage.sql.tables import metadata
from endcap.storage.stores import open_store

ENGINES = ["sqlite", "postgresql", "mariadb"]


@pytest.fixture
def empty_database(request, servers, tmp_path):
    """A function that makes engines for fresh databases of one kind."""
    made = []

    def make(kind, name):
        if kind == "sqlite":
            engine = create_engine(f"sqlite:///{tmp_path / name}")
        else:
            url = servers[kind].create(f"{name}_{request.node.name.partition('[')[0]}"[:60])
            engine = create_engine(dialect_of(url).url)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


def shape(engine):
    """All that the engine knows of the tables, but for the record of migrations."""
    found = inspect(engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"], i["column_names"], i["unique"]) for i in found.get_indexes(table)),
            sorted(u["column_names"] for u in found.get_unique_constraints(table)),
            table_options(engine, table),
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def table_options(engine, table):
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            query = "SELECT sql FROM sqlite_master WHERE name = :name"
            return "AUTOINCREMENT" in connection.execute(text(query), {"name": table}).scalar_one()
    return inspect(engine).get_table_options(table)


@pytest.mark.parametrize("kind", ENGINES)
def test_the_migrations_make_the_tables_of_this_version(empty_database, kind):
    migrated, made = empty_database(kind, "migrated"), empty_database(kind, "made")
    migrate(migrated)
    metadata.create_all(made)
    assert shape(migrated) == shape(made)
    assert set(shape(made)) == {table.name for table in metadata.sorted_tables}
    assert revision(migrated) == HEAD
    migrate(migrated)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_three_that_start_at_once_make_the_tables_once(servers, tmp_path, kind):
    url = servers[kind].create("at_once")
    stores, failures = [], []

    def start():
        try:
            stores.append(open_store(url, tmp_path))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert [store.events.append([event("e")], []) for store in stores] == [[True], [False], [False]]
    for store in stores:
        store.close()


@pytest.mark.parametrize("kind", ENGINES)
def test_an_older_version_goes_on_with_what_a_newer_one_added(
    empty_database, servers, kind, tmp_path
):
    if kind == "sqlite":
        folder = tmp_path / "shop"
        SqliteStore(folder).close()
        engine = create_engine(f"sqlite:///{folder / 'endcap.db'}")
        url = f"sqlite:///{folder}"
    else:
        url = servers[kind].create("overlap")
        engine = create_engine(dialect_of(url).url)
        migrate(engine)
    store = open_store(url, tmp_path)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events ADD COLUMN weather VARCHAR(20)"))
        connection.execute(text("CREATE TABLE moods (id INTEGER PRIMARY KEY)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert store.events.append([event("running")], []) == [True]
    store.close()
    again = open_store(url, tmp_path)
    assert again.events.append([event("restarted")], []) == [True]
    assert [e.event_id for e in again.events.after(SHOP, 0, 9)] == ["running", "restarted"]
    again.close()
    engine.dispose()


def test_a_server_with_an_older_schema_says_what_to_run(empty_database, monkeypatch):
    engine = empty_database("sqlite", "older")
    migrate(engine)
    monkeypatch.setattr(schema, "HEAD", "9999")
    with pytest.raises(ConfigurationError, match="endcap migrate"):
        ensure_schema(engine, itself=False)
