"""What differs from one run to the next: the clock, and random names."""

import secrets
import time


def system_clock() -> int:
    """Now, in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A fresh random id of 24 characters, never one that a command would take for an option.

    One in 64 is thrown away, which leaves 143.98 of 144 bits to guess.
    """
    while True:
        made = secrets.token_urlsafe(18)
        if not made.startswith("-"):
            return made
