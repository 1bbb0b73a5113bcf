"""Whose events they are: what a browser did before a login is read with the customer's own.

A merge is two events in the log: one of the customer that names the browser's pseudonym, and a
mark of the browser that names nobody, from which on it is a stranger again. So on a computer that
several people use, each takes over only what was done since the login before.
"""

from collections.abc import Callable, Collection

import msgspec

from endcap.core.event import Event

MERGE = "merge"
MAX_MERGES = 5
Read = Callable[[str, int, Collection[str]], list[Event]]
"""Reads a pseudonym's latest events: pseudonym, at most how many, of which types."""


def events_of(read: Read, visitor: str, limit: int, types: Collection[str]) -> list[Event]:
    """The latest `limit` events of the types, those of merged pseudonyms too, oldest first."""
    wanted = (*types, MERGE)
    own = read(visitor, limit, wanted)
    found = [event for event in own if event.type != MERGE]
    merges = [event for event in own if event.type == MERGE and event.merged]
    for merge in merges[-MAX_MERGES:]:
        found += _before(merge, read(merge.merged or "", 2 * limit, wanted))
    found.sort(key=lambda event: event.seq)
    return found[-limit:]


def merge_events(customer: Event, browser: str, mark_id: str) -> list[Event]:
    """The two events of a merge; `customer` is the first but for the pseudonym it names."""
    merge = msgspec.structs.replace(customer, type=MERGE, merged=browser)
    mark = msgspec.structs.replace(
        customer, type=MERGE, visitor=browser, event_id=mark_id, merged=None
    )
    return [merge, mark]


def _before(merge: Event, theirs: list[Event]) -> list[Event]:
    """What the browser did between the login before and this one."""
    marks = [e.seq for e in theirs if e.type == MERGE and not e.merged and e.seq < merge.seq]
    begin = max(marks, default=0)
    return [e for e in theirs if e.type != MERGE and begin < e.seq < merge.seq]
