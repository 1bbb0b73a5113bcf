"""Column types that mean the same on every SQL engine."""

from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, String
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine


class Exact(TypeDecorator[str]):
    """Text that is compared and ordered byte by byte, whatever the server's collation.

    SQLite does so by itself. MySQL's collations merge `abc` and `ABC`, and even the binary ones
    `a` and `a `, so the bytes are kept there; PostgreSQL takes the collation "C".
    """

    impl = String
    cache_ok = True

    def __init__(self, characters: int) -> None:
        # Four bytes of UTF-8 for each character at most.
        self.octets = 4 * characters
        super().__init__(self.octets)

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.VARBINARY(self.octets))
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.VARCHAR(self.octets, collation="C"))
        return dialect.type_descriptor(String(self.octets))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Text as the engine takes it."""
        if value is None or dialect.name not in ("mysql", "mariadb"):
            return value
        return value.encode()

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Text as it was given."""
        return value.decode() if isinstance(value, bytes) else value


# SQLite numbers rows by itself only for a column declared exactly INTEGER PRIMARY KEY.
Place = BigInteger().with_variant(Integer, "sqlite")
Id = Exact(200)
# MySQL's plain BLOB ends at 64 KiB.
Body = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
