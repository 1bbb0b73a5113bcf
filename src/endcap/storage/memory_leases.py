"""The leases port in memory: the reference the other engines are held to."""

from endcap.core.ports import Lease


class MemoryLeases:
    """Leases by name."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}

    def lease(self, name: str) -> Lease | None:
        """See the port."""
        return self._leases.get(name)

    def claim(self, name: str, holder: str, beat: int) -> bool:
        """See the port."""
        found = self._leases.get(name)
        if (found.beat if found else 0) != beat:
            return False
        self._leases[name] = Lease(holder, beat + 1)
        return True
