"""The control port on SQL."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select

from endcap.core.errors import VersionConflict
from endcap.core.placement import ControlRecord

from .heads import advance
from .sessions import Sessions
from .tables import control, heads

STREAM = "control/"

_COLUMNS = [c for c in control.c if c.name != "shop"]


class SqlControl:
    """Versions as rows that are only ever added."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def put(self, shop: str, record: ControlRecord, expected: int | None) -> ControlRecord:
        """See the port."""

        def work(connection: Connection) -> ControlRecord:
            advance(connection, shop, f"{STREAM}{record.kind}", 1)
            newest = select(func.max(control.c.version)).where(
                control.c.shop == shop,
                control.c.kind == record.kind,
                control.c.name == record.name,
            )
            version = connection.execute(newest).scalar() or 0
            if expected is not None and expected != version:
                raise VersionConflict(
                    f"{record.kind} `{record.name}` is at version {version}, not {expected}"
                )
            stored = msgspec.structs.replace(record, version=version + 1)
            values = {"shop": shop, **msgspec.structs.asdict(stored)}
            connection.execute(insert(control).values(values))
            return stored

        return self._sessions.transact(work)

    def get(self, shop: str, kind: str, name: str, version: int | None) -> ControlRecord | None:
        """See the port."""
        wanted = _named(shop, kind, name)
        if version is not None:
            wanted = wanted.where(control.c.version == version)
        found = self._read(wanted.order_by(control.c.version.desc()).limit(1))
        return found[0] if found else None

    def latest(self, shop: str, kind: str) -> list[ControlRecord]:
        """See the port."""
        return [r for r in self._read(_newest(shop, kind, "", None)) if r.body is not None]

    def page(self, shop: str, kind: str, after: str, limit: int) -> list[ControlRecord]:
        """See the port."""
        found: list[ControlRecord] = []
        while len(found) < limit:
            chunk = self._read(_newest(shop, kind, after, limit))
            found += [record for record in chunk if record.body is not None]
            if len(chunk) < limit:
                break
            after = chunk[-1].name
        return found[:limit]

    def history(self, shop: str, kind: str, name: str) -> list[ControlRecord]:
        """See the port."""
        return self._read(_named(shop, kind, name).order_by(control.c.version.desc()))

    def marks(self, shop: str) -> dict[str, int]:
        """See the port."""
        mine = select(heads.c.stream, heads.c.value).where(heads.c.shop == shop)
        with self._sessions.read() as connection:
            return {
                row.stream.removeprefix(STREAM): row.value
                for row in connection.execute(mine)
                if row.stream.startswith(STREAM)
            }

    def purge(self, shop: str, kind: str, name: str) -> int:
        """See the port."""
        mine = and_(control.c.shop == shop, control.c.kind == kind, control.c.name == name)

        def work(connection: Connection) -> int:
            gone = connection.execute(delete(control).where(mine)).rowcount
            if gone:
                advance(connection, shop, f"{STREAM}{kind}", 1)
            return gone

        return self._sessions.transact(work)

    def _read(self, query: Select[Any]) -> list[ControlRecord]:
        with self._sessions.read() as connection:
            return [_record(row) for row in connection.execute(query)]


def _newest(shop: str, kind: str, after: str, limit: int | None) -> Select[Any]:
    """The latest version of each name > `after`, deleted ones too, by name."""
    mine = and_(control.c.shop == shop, control.c.kind == kind, control.c.name > after)
    newest = (
        select(control.c.name, func.max(control.c.version).label("version"))
        .where(mine)
        .group_by(control.c.name)
        .order_by(control.c.name)
        .limit(limit)
        .subquery()
    )
    same = and_(control.c.name == newest.c.name, control.c.version == newest.c.version)
    return select(*_COLUMNS).join(newest, same).where(mine).order_by(control.c.name)


def _named(shop: str, kind: str, name: str) -> Select[Any]:
    return select(*_COLUMNS).where(
        control.c.shop == shop, control.c.kind == kind, control.c.name == name
    )


def _record(row: Row[Any]) -> ControlRecord:
    return ControlRecord(**row._mapping)
