"""Places in a collection that several processes append to, without a reader ever skipping one.

An append first reserves a range of places in the head document, which also lists the ranges under
way; readers stop before the oldest of these. A range whose writer died is closed by filling its
empty places with marks: should the writer still be alive, its inserts then fail on `_id` and it
takes a new range. So nothing acknowledged is ever behind a reader, and no clock is compared.
"""

import contextlib
import time
import uuid
from collections.abc import Sequence
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from endcap.core.errors import StoreUnavailable

from .sessions import Document, MongoSessions

DUPLICATE = 11000
ABANDONED_SECONDS = 10.0
ATTEMPTS = 5
VOID = ""


class Places:
    """Appends to one collection, and the last place up to which it may be read."""

    def __init__(
        self, store: MongoSessions, stream: str, abandoned: float = ABANDONED_SECONDS
    ) -> None:
        self._heads = store.database.heads
        self._rows = store.database[stream]
        self._stream = stream
        self._abandoned = abandoned
        self._oldest: tuple[str, float] = ("", 0.0)

    def append(self, documents: Sequence[Document]) -> list[bool]:
        """Insert all; per document whether it is new (False: its key is there already)."""
        fresh = [True] * len(documents)
        left = list(range(len(documents)))
        for _ in range(ATTEMPTS):
            if not left:
                return fresh
            first, token = self.reserve(len(left))
            batch = [{**documents[n], "_id": first + k} for k, n in enumerate(left)]
            known, voided = self._insert(batch)
            for k in known:
                fresh[left[k]] = False
            left = [left[k] for k in voided]
            self.release(token)
        raise StoreUnavailable("places were taken away again and again; is a clock stopping?")

    def reserve(self, count: int) -> tuple[int, str]:
        """A range of places and the token under which it is listed as under way."""
        token = uuid.uuid4().hex
        last: Any = {"$add": ["$last", count]}
        entry = {"token": token, "first": {"$subtract": ["$last", count - 1]}, "count": count}
        steps: list[Document] = [
            {"$set": {"last": last}},
            {"$set": {"pending": {"$concatArrays": ["$pending", [entry]]}}},
        ]
        for _ in range(ATTEMPTS):
            head = self._heads.find_one_and_update(
                {"_id": self._stream}, steps, return_document=ReturnDocument.AFTER
            )
            if head is not None:
                return int(head["last"]) - count + 1, token
            self._make_head()
        raise StoreUnavailable("the head of the log cannot be made")

    def _make_head(self) -> None:
        first = {"$setOnInsert": {"last": 0, "pending": []}}
        with contextlib.suppress(DuplicateKeyError):
            self._heads.update_one({"_id": self._stream}, first, upsert=True)

    def release(self, token: str) -> None:
        """The range is complete."""
        self._heads.update_one({"_id": self._stream}, {"$pull": {"pending": {"token": token}}})

    def safe(self) -> int:
        """The last place that no append under way can still come before."""
        head = self._heads.find_one({"_id": self._stream})
        if head is None:
            return 0
        if not head["pending"]:
            return int(head["last"])
        oldest = min(head["pending"], key=lambda entry: entry["first"])
        token, since = self._oldest
        now = time.monotonic()
        if token != oldest["token"]:
            self._oldest = (oldest["token"], now)
        elif now - since > self._abandoned:
            self._close(oldest)
        return int(oldest["first"]) - 1

    def _close(self, entry: Document) -> None:
        places = range(entry["first"], entry["first"] + entry["count"])
        marks = [{"_id": n, "shop": VOID, "source": VOID, "event_id": str(n)} for n in places]
        self._insert(marks)
        self.release(entry["token"])

    def _insert(self, batch: Sequence[Document]) -> tuple[list[int], list[int]]:
        """Indexes of those whose key is known, and of those whose place was taken away."""
        try:
            self._rows.insert_many(batch, ordered=False)
        except BulkWriteError as error:
            failed: list[Document] = error.details["writeErrors"]
            others = [e for e in failed if e["code"] != DUPLICATE]
            if others or error.details["writeConcernErrors"]:
                raise
            voided = [e["index"] for e in failed if "_id" in e.get("keyPattern", {})]
            known = [e["index"] for e in failed if "_id" not in e.get("keyPattern", {})]
            return known, voided
        return [], []
