"""The leases port on MongoDB."""

from pymongo.errors import DuplicateKeyError

from endcap.core.ports import Lease

from .sessions import MongoSessions


class MongoLeases:
    """Leases as documents, changed only from the beat that was seen."""

    def __init__(self, store: MongoSessions) -> None:
        self._store = store
        self._rows = store.database.leases

    def lease(self, name: str) -> Lease | None:
        """See the port."""
        with self._store.errors():
            found = self._rows.find_one({"_id": name})
        return None if found is None else Lease(found["holder"], int(found["beat"]))

    def claim(self, name: str, holder: str, beat: int) -> bool:
        """See the port."""
        values = {"holder": holder, "beat": beat + 1}
        with self._store.errors():
            if beat == 0:
                try:
                    self._rows.insert_one({"_id": name, **values})
                except DuplicateKeyError:
                    return False
                return True
            changed = self._rows.update_one({"_id": name, "beat": beat}, {"$set": values})
            return changed.matched_count == 1
