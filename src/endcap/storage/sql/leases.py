"""The leases port on SQL."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from endcap.core.errors import StoreUnavailable
from endcap.core.ports import Lease

from .sessions import Sessions
from .tables import leases


class SqlLeases:
    """Leases as rows, changed only from the beat that was seen."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def lease(self, name: str) -> Lease | None:
        """See the port."""
        with self._sessions.read() as connection:
            query = select(leases.c.holder, leases.c.beat).where(leases.c.name == name)
            row = connection.execute(query).one_or_none()
        return None if row is None else Lease(row.holder, row.beat)

    def claim(self, name: str, holder: str, beat: int) -> bool:
        """See the port."""
        values = {"holder": holder, "beat": beat + 1}

        def work(connection: Connection) -> bool:
            if beat == 0:
                connection.execute(insert(leases).values(name=name, **values))
                return True
            seen = (leases.c.name == name) & (leases.c.beat == beat)
            return connection.execute(update(leases).where(seen).values(values)).rowcount == 1

        try:
            return self._sessions.transact(work)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, IntegrityError):
                return False  # somebody else was first
            raise
