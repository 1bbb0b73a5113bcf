"""Product bodies by row: those of an image lie in a mapped file, the others in memory.

A body is read for the few products of a slate, so it need not be in memory: the system reads its
page when it is asked for and may drop it again.
"""

from collections.abc import Iterator

NOTHING = memoryview(b"")


class Bodies:
    """A list of bytes that grows; its first rows may come from one long stretch of bytes.

    `ends` (int64) says where each body of `base` ends.
    """

    def __init__(self, base: memoryview = NOTHING, ends: memoryview = NOTHING) -> None:
        self._base = base
        self._ends = ends
        self._changed: dict[int, bytes] = {}
        self._added: list[bytes] = []

    def __len__(self) -> int:
        return len(self._ends) + len(self._added)

    def __getitem__(self, row: int) -> bytes:
        mapped = len(self._ends)
        if row >= mapped:
            return self._added[row - mapped]
        own = self._changed.get(row)
        if own is not None:
            return own
        return bytes(self._base[self._ends[row - 1] if row else 0 : self._ends[row]])

    def __setitem__(self, row: int, body: bytes) -> None:
        mapped = len(self._ends)
        if row >= mapped:
            self._added[row - mapped] = body
        else:
            self._changed[row] = body

    def __iter__(self) -> Iterator[bytes]:
        return (self[row] for row in range(len(self)))

    def append(self, body: bytes) -> None:
        """Add a row."""
        self._added.append(body)
