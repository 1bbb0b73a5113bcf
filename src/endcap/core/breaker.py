"""A circuit breaker: what failed a few times in a row is left alone for a moment."""


class Breaker:
    """Opens after `failures` in a row, for `rest` seconds; then one call may try again.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(self, failures: int = 3, rest: float = 1.0) -> None:
        self._failures = failures
        self._rest = rest
        self._failed = 0
        self._closed_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether to try; while open, once per `rest` seconds."""
        if self._failed < self._failures:
            return True
        if now < self._closed_at:
            return False
        self._closed_at = now + self._rest
        return True

    @property
    def is_open(self) -> bool:
        """Whether calls are being left out."""
        return self._failed >= self._failures

    def succeeded(self) -> None:
        """A call went well."""
        self._failed = 0

    def failed(self, now: float) -> None:
        """A call did not."""
        self._failed += 1
        self._closed_at = now + self._rest
