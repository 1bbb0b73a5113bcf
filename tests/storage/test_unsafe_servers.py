"""A server that could lose what it acknowledged is refused with one line that says why."""

import pytest

from endcap.core.errors import ConfigurationError
from endcap.storage.mongo.store import unsafe
from endcap.storage.stores import open_store


@pytest.fixture
def postgres(servers, opened):
    import psycopg

    opened["postgresql"]
    connection = psycopg.connect(servers["postgresql"].url("postgres"), autocommit=True)
    yield connection
    connection.execute("ALTER SYSTEM RESET ALL")
    connection.execute("SELECT pg_reload_conf()")
    connection.close()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_postgresql(postgres, opened, tmp_path, name):
    postgres.execute(f"ALTER SYSTEM SET {name} = off")
    postgres.execute("SELECT pg_reload_conf()")
    url = opened.url("postgresql")
    # The server takes the change over a moment later.
    for _ in range(200):
        try:
            open_store(url, tmp_path).close()
        except ConfigurationError as error:
            assert f"{name}=off" in error.detail
            assert "\n" not in error.detail
            return
    pytest.fail(f"a server with {name}=off was taken")


def test_mariadb(servers, opened, tmp_path):
    opened["mariadb"]
    with servers["mariadb"].connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            with pytest.raises(ConfigurationError, match="innodb_flush_log_at_trx_commit=2"):
                open_store(opened.url("mariadb"), tmp_path)
        finally:
            cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    open_store(opened.url("mariadb"), tmp_path).close()


def test_mongodb_by_its_address(servers, tmp_path):
    with pytest.raises(ConfigurationError, match="journal=false"):
        open_store(servers["mongodb"].url("x") + "?journal=false", tmp_path)


def test_mongodb_by_what_it_says():
    member = {"setName": "rs0"}
    assert unsafe(member, {"storageEngine": {"name": "wiredTiger", "persistent": True}}, {}) is None
    assert "rs.initiate" in unsafe({}, {}, {})
    assert "inMemory" in unsafe(
        member, {"storageEngine": {"name": "inMemory", "persistent": False}}, {}
    )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/endcap",
        "mysql://nobody:secret@127.0.0.1:1/endcap",
        "mongodb://127.0.0.1:1/endcap?serverSelectionTimeoutMS=200",
    ],
)
def test_a_server_that_is_not_there(url, tmp_path):
    with pytest.raises(ConfigurationError, match="store_url: ") as caught:
        open_store(url, tmp_path)
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize("url", ["oracle://x/y", "postgresql://host", "nonsense"])
def test_an_address_that_means_nothing(url, tmp_path):
    with pytest.raises(ConfigurationError, match="store_url: "):
        open_store(url, tmp_path)


def test_a_wrong_password_is_told_and_not_shown(servers, opened, tmp_path):
    opened["mariadb"]
    with servers["mariadb"].connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER IF NOT EXISTS shop@'%' IDENTIFIED BY 'right'")
    url = opened.url("mariadb").replace("root@", "shop:wrong-one@")
    with pytest.raises(ConfigurationError, match="Access denied") as caught:
        open_store(url, tmp_path)
    assert "wrong-one" not in caught.value.detail
