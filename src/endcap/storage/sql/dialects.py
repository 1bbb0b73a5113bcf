"""What differs between the database servers: address, time limits, safety, passing errors."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from endcap.core.errors import ConfigurationError

# A replica that hangs inside a transaction holds the log's head; the server ends it after this.
IDLE_SECONDS = 3
LOCK_SECONDS = 6
STATEMENT_SECONDS = 30
CONNECT_SECONDS = 3

_PG_OPTIONS = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
    f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
)
_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "options": _PG_OPTIONS,
    "application_name": "endcap",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_MYSQL: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": STATEMENT_SECONDS,
    "write_timeout": STATEMENT_SECONDS,
    "charset": "utf8mb4",
    "init_command": (
        f"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
        f"SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}"
    ),
}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of server; `shown` is the address without the password."""

    url: URL
    shown: str
    connect_args: dict[str, Any]
    check: Callable[[Connection], None]
    worth_repeating: Callable[[DBAPIError], bool]


def dialect_of(url: str) -> Dialect:
    """The dialect of a store's address. Raises ConfigurationError."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"store_url: {error}") from error
    if not parsed.database:
        raise ConfigurationError("store_url: name a database, like postgresql://host/endcap")
    kind = parsed.drivername.partition("+")[0]
    shown = parsed.render_as_string(hide_password=True)
    if kind in ("postgresql", "postgres"):
        return Dialect(
            url=parsed.set(drivername="postgresql+psycopg"),
            shown=shown,
            connect_args=_POSTGRESQL,
            check=_check_postgresql,
            worth_repeating=lambda error: _sqlstate(error) in ("40P01", "40001"),
        )
    if kind in ("mysql", "mariadb"):
        return Dialect(
            url=parsed.set(drivername=f"{kind}+pymysql"),
            shown=shown,
            connect_args=_MYSQL,
            check=_check_mysql,
            worth_repeating=lambda error: _mysql_code(error) in (1213, 1205),
        )
    raise ConfigurationError(f"store_url: no store for `{kind}`")


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _mysql_code(error: DBAPIError) -> int:
    arguments = getattr(error.orig, "args", ()) or (0,)
    return arguments[0] if isinstance(arguments[0], int) else 0


def _check_postgresql(connection: Connection) -> None:
    found = {name: _show(connection, name) for name in ("fsync", "full_page_writes")}
    found["synchronous_commit"] = _show(connection, "synchronous_commit")
    unsafe = [f"{name}=off" for name, value in found.items() if value == "off"]
    if unsafe:
        raise ConfigurationError(
            f"PostgreSQL runs with {', '.join(unsafe)}: acknowledged events could be lost. Turn "
            "these on in postgresql.conf (and for this role and database), then start again."
        )
    encoding = _show(connection, "server_encoding")
    if encoding != "UTF8":
        raise ConfigurationError(f"the database has encoding {encoding}; create it with UTF8")


def _show(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar())


def _check_mysql(connection: Connection) -> None:
    query = (
        "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@innodb_doublewrite"
    )
    flush, log_bin, sync_binlog, doublewrite = connection.exec_driver_sql(query).one()
    unsafe = []
    if int(flush) != 1:
        unsafe.append(f"innodb_flush_log_at_trx_commit={flush} (must be 1)")
    if _on(log_bin) and int(sync_binlog) != 1:
        unsafe.append(f"sync_binlog={sync_binlog} with a binary log (must be 1)")
    if not _on(doublewrite):
        unsafe.append("innodb_doublewrite=0 (must be on)")
    if unsafe:
        raise ConfigurationError(
            f"the MySQL server runs with {', '.join(unsafe)}: acknowledged events could be lost. "
            "Set it in the server's configuration, then start again."
        )


def _on(value: object) -> bool:
    return str(value).upper() not in ("0", "OFF", "FALSE")
