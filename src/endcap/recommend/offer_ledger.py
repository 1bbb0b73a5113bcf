"""How often offers were made: in all, for their budgets, and to each visitor, for their caps."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from endcap.core.times import DAY

MAX_VISITORS = 100_000
NOBODY: Mapping[str, list[int]] = {}


class OfferLedger:
    """What this process knows; other processes' offers come in through the log.

    Where budgets are `shared` with other processes, only what was taken of them may be spent.
    """

    def __init__(self) -> None:
        self.shared = False
        self._taken: dict[str, int] = {}
        self._own: dict[str, int] = {}
        self._base: dict[str, int] = {}
        self._visitors: OrderedDict[str, dict[str, list[int]]] = OrderedDict()

    def total(self, offer: str, logged: int) -> int:
        """How often an offer was made; `logged` is what snapshot and tail have counted.

        What this process made a moment ago counts before it is in the log.
        """
        base = self._base.setdefault(offer, logged)
        return max(logged, base + self._own.get(offer, 0))

    def made(self, offers: Iterable[str], visitor: str, now: int) -> None:
        """An answer has carried these offers."""
        for offer in offers:
            self._own[offer] = self._own.get(offer, 0) + 1
            if self._taken.get(offer):
                self._taken[offer] -= 1
            if visitor in self._visitors:
                self._visitors[visitor].setdefault(offer, []).append(now)

    def take(self, offer: str, part: int) -> None:
        """A part of a shared budget may be spent here."""
        self._taken[offer] = self._taken.get(offer, 0) + part

    def left(self, offer: str) -> int:
        """How much of what was taken of a shared budget is not spent."""
        return self._taken.get(offer, 0)

    def unspent(self) -> dict[str, int]:
        """The same of every offer that has something left."""
        return {offer: left for offer, left in self._taken.items() if left > 0}

    def knows(self, visitor: str) -> bool:
        """Whether the visitor's offers were read from the log."""
        return visitor in self._visitors

    def remember(self, visitor: str, made: Mapping[str, list[int]]) -> None:
        """What the log has of a visitor: the times of each offer."""
        self._visitors[visitor] = {offer: list(times) for offer, times in made.items()}
        if len(self._visitors) > MAX_VISITORS:
            self._visitors.popitem(last=False)

    def forget(self, visitor: str) -> None:
        """Drop what is known of a visitor."""
        self._visitors.pop(visitor, None)

    def times(self, offer: str, visitor: str, now: int, days: int) -> int:
        """How often the offer was made to the visitor in the last `days`."""
        times = self._visitors.get(visitor, NOBODY).get(offer, [])
        return sum(now - days * DAY < moment <= now for moment in times)
