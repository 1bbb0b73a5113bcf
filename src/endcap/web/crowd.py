"""How much a process takes on at once, and how patient it is with slow clients."""

from dataclasses import dataclass

# What an operator asks in the middle of an overload is always answered.
ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})


@dataclass
class Crowd:
    """Requests that have arrived whole and are not answered yet, of all connections together.

    Every one of them waits for the processor, so their number bounds how long an accepted request
    can take. A slow client's half request is not counted: it takes no turn from others. `most` 0
    means any number; `patience` is in seconds, 0 means for ever.
    """

    most: int = 0
    patience: float = 0.0
    busy: int = 0
    refused: int = 0

    def is_full(self, path: str) -> bool:
        """Whether another request for this path is to be refused."""
        return 0 < self.most <= self.busy and path not in ALWAYS
