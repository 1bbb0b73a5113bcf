"""Heads of streams: the row that whoever appends holds until the commit."""

from typing import Any

from sqlalchemy import Connection, Executable, insert, select, update
from sqlalchemy.dialects import mysql, postgresql

from .tables import heads

ALL_SHOPS = ""
LOG = "log"
LETTERS = "dead_letters"
CATALOGUE = "catalogue"


def advance(connection: Connection, shop: str, stream: str, by: int) -> int:
    """Move the head on by `by` (0 only takes the lock) and return where it is now.

    Until the transaction ends, whoever else wants this head waits. The server shows a commit
    before it frees the row, so the next one sees all of it.
    """
    mine = (heads.c.shop == shop) & (heads.c.stream == stream)
    move = update(heads).where(mine).values(value=heads.c.value + by)
    if connection.execute(move).rowcount == 0:
        connection.execute(_first(connection.dialect.name, shop, stream))
        connection.execute(move)
    return int(connection.execute(select(heads.c.value).where(mine)).scalar_one())


def set_head(connection: Connection, shop: str, stream: str, value: int) -> None:
    """Put a head that is held already where its stream is."""
    mine = (heads.c.shop == shop) & (heads.c.stream == stream)
    connection.execute(update(heads).where(mine).values(value=value))


def _first(dialect: str, shop: str, stream: str) -> Executable:
    values: dict[str, Any] = {"shop": shop, "stream": stream, "value": 0}
    if dialect == "postgresql":
        return postgresql.insert(heads).values(values).on_conflict_do_nothing()
    if dialect in ("mysql", "mariadb"):
        return mysql.insert(heads).values(values).on_duplicate_key_update(value=heads.c.value)
    return insert(heads).values(values)
