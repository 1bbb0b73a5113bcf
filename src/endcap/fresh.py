"""What differs from one run to the next: the clock, and random names."""

import secrets
import time


def system_clock() -> int:
    """Now, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A fresh random id of 24 characters."""
    return secrets.token_urlsafe(18)
