"""Work that runs by itself, and how it went."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec

Note = Callable[[str, str], AbstractContextManager[dict[str, int]]]
"""Notes a shop's job of a kind while it runs; what it counts goes into the dict."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `archive`, `rollups`, `build` or `retention`; times are UTC milliseconds."""

    kind: str
    started_at: int
    finished_at: int
    counts: dict[str, int] = {}
    error: str | None = None
