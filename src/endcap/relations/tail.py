"""The tail: what happened since the snapshot was built, folded from the log event by event."""

from collections import Counter
from collections.abc import Sequence

from endcap.catalog.columns import Columns
from endcap.core.event import Event
from endcap.core.times import MINUTE

from .counters import SIGNAL_OF, Counters
from .session_tail import KINDS, TailSessions

MOVING = KINDS.union(SIGNAL_OF)
"""The events that counters or sessions take in."""


class Tail:
    """A fold of the events after `seq`; the same events in the same order give the same tail.

    `offers` counts how often each offer was made. `moved` is the place of the last event that may
    change an answer to somebody else than its visitor.
    """

    def __init__(
        self, seq: int = 0, counters: Counters | None = None, pause: int = 30 * MINUTE
    ) -> None:
        self.seq = seq
        self.moved = seq
        self.counters = counters or Counters()
        self.sessions = TailSessions(pause=pause)
        self.offers: Counter[str] = Counter()

    def fold(self, events: Sequence[Event], columns: Columns) -> None:
        """Take in events in the order of the log; those it already has are passed over."""
        for event in events:
            if event.seq <= self.seq:
                continue
            self.seq = event.seq
            if event.served is not None:
                self.offers.update(event.served.offers)
            if event.type in MOVING:
                self.moved = event.seq
            self.counters.fold(event, columns)
            self.sessions.fold(event, columns)
