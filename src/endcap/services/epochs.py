"""Stretches of the tail that count as one, so that many events do not make every slate anew."""

import asyncio

from endcap.relations.tail import Tail

# New epochs at once, and how many a second are given again.
BURST, REFILL = 8.0, 4.0


class _Epoch:
    """Numbers the stretches of the tail that count as one; few events each begin another."""

    def __init__(self, tail: Tail, now: float) -> None:
        self.tail = tail
        self.seq = tail.moved
        self.number = 0
        self._left = BURST
        self._at = now

    def now(self, tail: Tail, now: float) -> tuple[int, int]:
        self._left = min(BURST, self._left + (now - self._at) * REFILL)
        self._at = now
        if tail is not self.tail:
            self.tail, self.seq = tail, tail.moved
            self.number += 1
        elif tail.moved != self.seq and self._left >= 1:
            self._left -= 1
            self.seq = tail.moved
            self.number += 1
        return self.number, self.seq


class Epochs:
    """The epoch of each shop. All calls come from the event loop's thread."""

    def __init__(self) -> None:
        self._shops: dict[str, _Epoch] = {}

    def now(self, shop: str, tail: Tail) -> tuple[int, int]:
        """The epoch's number, and the place in the log that it begins at."""
        moment = asyncio.get_running_loop().time()
        epoch = self._shops.get(shop)
        if epoch is None:
            epoch = self._shops[shop] = _Epoch(tail, moment)
        return epoch.now(tail, moment)
