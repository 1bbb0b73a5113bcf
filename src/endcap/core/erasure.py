"""Erasing a visitor: the states it goes through and what proves it."""

from typing import Literal

import msgspec

Mode = Literal["erase", "anonymise"]
State = Literal["accepted", "suppressed", "purged", "verified"]


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. Times are UTC milliseconds; `removed` counts what was found, by place.

    `subject` is a hash of the pseudonym under a key of its own: it tells the same visitor again,
    when a backup is put back, and nothing else.
    """

    id: str
    shop: str
    subject: str
    mode: Mode
    state: State
    requested_at: int
    suppressed_at: int | None = None
    purged_at: int | None = None
    verified_at: int | None = None
    removed: dict[str, int] = {}
    receipt: str | None = None


class Suppressed(msgspec.Struct, frozen=True, kw_only=True):
    """Stands under the pseudonym while its erasure runs, and goes with it."""

    erasure: str
    mode: Mode
    requested_at: int
