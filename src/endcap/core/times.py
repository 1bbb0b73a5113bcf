"""Times: UTC milliseconds inside, ISO 8601 text outside. The clock is always an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns now as milliseconds since 1970-01-01 UTC."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def parse_time(text: str) -> int:
    """Milliseconds of an ISO 8601 time. Without an offset it is read as UTC.

    Raises ValueError when the text is no such time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return to_millis(moment)
    except OverflowError as error:
        raise ValueError("is out of range") from error


def to_millis(moment: datetime) -> int:
    """Milliseconds of an aware datetime, exact to the millisecond."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * DAY + delta.seconds * SECOND + delta.microseconds // 1_000


def format_time(millis: int) -> str:
    """ISO 8601 text in UTC with milliseconds, e.g. `2026-01-31T12:00:00.000Z`."""
    seconds, rest = divmod(millis, SECOND)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03d}Z"
