"""The event log port on MongoDB."""

from collections.abc import Collection, Sequence

import msgspec

from endcap.core.event import OWN_EVENT_TYPES, DeadLetter, Event
from endcap.core.ports import Retained
from endcap.storage.packed import pack_event, unpack_event

from .places import Places
from .sessions import Document, MongoSessions


class MongoEventLog:
    """Events as documents, each once per (shop, source, event_id).

    Several documents are not one transaction here: an append that fails may leave a part of it,
    and sending it again makes it whole.
    """

    def __init__(self, store: MongoSessions) -> None:
        self._store = store
        self._events = store.database.events
        self._letters = store.database.dead_letters
        self.places = Places(store, "events")
        self._letter_places = Places(store, "dead_letters")

    def append(self, events: Sequence[Event], dead: Sequence[DeadLetter]) -> list[bool]:
        """See the port."""
        first: dict[tuple[str, str, str], int] = {}
        for n, event in enumerate(events):
            first.setdefault((event.shop, event.source, event.event_id), n)
        with self._store.errors():
            chosen = list(first.values())
            new = self.places.append([pack_event(events[n]) for n in chosen])
            self._letter_places.append([_letter(letter) for letter in dead])
        fresh = [False] * len(events)
        for n, is_new in zip(chosen, new, strict=True):
            fresh[n] = is_new
        return fresh

    def after(self, shop: str, seq: int, limit: int) -> list[Event]:
        """See the port."""
        with self._store.errors():
            safe = self.places.safe()
            wanted = {"shop": shop, "_id": {"$gt": seq, "$lte": safe}}
            return [_event(d) for d in self._events.find(wanted).sort("_id", 1).limit(limit)]

    def by_visitor(
        self,
        shop: str,
        visitor: str,
        limit: int,
        types: Collection[str] = (),
        before: int | None = None,
    ) -> list[Event]:
        """See the port."""
        wanted: Document = {"shop": shop, "visitor": visitor}
        if before is not None:
            wanted["_id"] = {"$lt": before}
        if types:
            wanted["type"] = {"$in": sorted(types)}
        with self._store.errors():
            found = self._events.find(wanted).sort("_id", -1).limit(limit)
            return [_event(d) for d in found][::-1]

    def find(self, shop: str, source: str, event_id: str) -> Event | None:
        """See the port."""
        with self._store.errors():
            wanted = {"shop": shop, "source": source, "event_id": event_id}
            found = self._events.find_one(wanted)
        return None if found is None else _event(found)

    def dead_letters(self, shop: str, seq: int, limit: int) -> list[DeadLetter]:
        """See the port."""
        with self._store.errors():
            safe = self._letter_places.safe()
            wanted = {"shop": shop, "_id": {"$gt": seq, "$lte": safe}}
            found = self._letters.find(wanted).sort("_id", 1).limit(limit)
            return [DeadLetter(seq=d.pop("_id"), **d) for d in found]

    def last(self, shop: str) -> int:
        """See the port."""
        with self._store.errors():
            wanted = {"shop": shop, "_id": {"$lte": self.places.safe()}}
            found = self._events.find(wanted, {"_id": 1}).sort("_id", -1).limit(1)
            return max((int(d["_id"]) for d in found), default=0)

    def erase(self, shop: str, visitor: str) -> int:
        """See the port."""
        theirs = {"shop": shop, "visitor": visitor}
        with self._store.errors():
            gone = self._events.delete_many(theirs).deleted_count
            return gone + self._letters.delete_many(theirs).deleted_count

    def scrub(self) -> None:
        """See the port; there is nothing that could be done from here."""

    def expire(self, shop: str, kind: Retained, before: int) -> int:
        """See the port."""
        old: Document = {"shop": shop, "received_at": {"$lt": before}}
        with self._store.errors():
            if kind == "letters":
                return self._letters.delete_many(old).deleted_count
            which = "$in" if kind == "served" else "$nin"
            old["type"] = {which: sorted(OWN_EVENT_TYPES)}
            return self._events.delete_many(old).deleted_count


def _event(document: Document) -> Event:
    return unpack_event({**document, "seq": document["_id"]})


def _letter(letter: DeadLetter) -> Document:
    values = msgspec.structs.asdict(letter)
    del values["seq"]
    return values
