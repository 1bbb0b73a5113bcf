"""The tail: what happened since the snapshot was built, folded from the log event by event."""

from collections.abc import Sequence

from endcap.catalog.columns import Columns
from endcap.core.event import Event
from endcap.core.times import MINUTE

from .counters import Counters
from .session_tail import TailSessions


class Tail:
    """A fold of the events after `seq`; the same events in the same order give the same tail."""

    def __init__(
        self, seq: int = 0, counters: Counters | None = None, pause: int = 30 * MINUTE
    ) -> None:
        self.seq = seq
        self.counters = counters or Counters()
        self.sessions = TailSessions(pause=pause)

    def fold(self, events: Sequence[Event], columns: Columns) -> None:
        """Take in events in the order of the log; those it already has are passed over."""
        for event in events:
            if event.seq <= self.seq:
                continue
            self.seq = event.seq
            self.counters.fold(event, columns)
            self.sessions.fold(event, columns)
