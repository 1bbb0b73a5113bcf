"""A query that notices whether anything of its visitor was read.

An answer that was made without reading who asks is the same for whoever asks the same. So what a
placement depends on is seen, not declared: whatever its strategies, filters and rules are.
"""

from typing import Any

from .query import Query

PERSONAL = frozenset(
    {
        "bought",
        "cart",
        "corrections",
        "owned",
        "session",
        "shown",
        "trail",
        "traits",
        "viewed",
        "visitor",
    }
)
"""The fields that hold something of the visitor."""


class Watched(Query, kw_only=True, dict=True):
    """A query of which the reading of its `watched` fields is noticed: it is `personal` then."""


def _noticed(name: str) -> property:
    field = getattr(Query, name)

    def read(query: Watched) -> Any:
        own = query.__dict__
        # A copy (which nothing makes) would not be watched; it must work all the same.
        if name in own.get("watched", ()):
            own["personal"] = True
        return field.__get__(query)

    return property(read, field.__set__)


for _name in PERSONAL:
    setattr(Watched, _name, _noticed(_name))


def watch(query: Query, watched: frozenset[str]) -> Watched:
    """The same query, watched for the reading of some fields."""
    made = Watched(**{name: getattr(query, name) for name in query.__struct_fields__})
    made.values = None  # What expressions have read was read of the other one.
    made.__dict__["watched"] = watched
    made.__dict__["personal"] = False
    return made


def was_personal(query: Watched) -> bool:
    """Whether something of the visitor was read since."""
    personal: bool = query.__dict__["personal"]
    return personal


def fields_of(visitor_is_read: bool, cart_is_given: bool) -> frozenset[str]:
    """The fields in which two visitors who ask the same may differ."""
    if not visitor_is_read:
        return frozenset({"visitor"})
    return PERSONAL - {"cart"} if cart_is_given else PERSONAL
