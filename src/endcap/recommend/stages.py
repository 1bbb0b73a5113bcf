"""The shapes of the components: retriever, filter, reranker. A component is one file each.

A component is a frozen struct whose fields are its options; its name is the name of its file.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, FloatArray, IntArray
from endcap.core.answer import Reason

from .query import Query, State

Allow = Callable[[IntArray], BoolArray]
"""Which of these rows may be shown to this request."""


class Found(NamedTuple):
    """Candidates of one retriever: rows (each once), scores (higher is better), evidence.

    `evidence` holds arrays of the same length as `items`; the retriever's own `reason` reads them
    for the few candidates that reach the slate.
    """

    items: IntArray
    scores: FloatArray
    evidence: dict[str, Any]


NOTHING = Found(NO_ITEMS, np.empty(0), {})


class Component(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of one component; an unknown option is refused when a placement is saved."""


class Retriever(Component, frozen=True, kw_only=True):
    """Proposes candidates that `allow` lets through, best first or not, at most about `want`."""

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The candidates; NOTHING when there is nothing to go by."""
        raise NotImplementedError

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """Why the candidate at `place` of the evidence was proposed, with its counts."""
        raise NotImplementedError

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several candidates; a retriever that has much to read does it at once."""
        return [self.reason(state, evidence, place) for place in places]


class Filter(Component, frozen=True, kw_only=True):
    """Removes rows. What it removes carries the filter's name and `explain`'s text.

    A filter is `standing` when it goes by nothing but the product, the zone and the product's
    dates: then it is asked once per product, not once per request.
    """

    standing: ClassVar[bool] = False

    def removed(self, query: Query) -> IntArray | None:
        """The rows it removes when they are known beforehand; None when `keep` must be asked."""
        return None

    def keep(self, rows: IntArray, query: Query, state: State) -> BoolArray:
        """Which rows stay."""
        raise NotImplementedError

    def explain(self, row: int, query: Query, state: State) -> str:
        """Why this row was removed, with the value it lacked."""
        raise NotImplementedError


class NamedFilter(NamedTuple):
    """A filter with the name its removals carry."""

    name: str
    filter: Filter


class Ranked(NamedTuple):
    """Candidates in order, best first: rows and their scores so far."""

    rows: IntArray
    scores: FloatArray


class Reranker(Component, frozen=True, kw_only=True):
    """Orders candidates or drops repeats."""

    def arrange(self, ranked: Ranked, query: Query, state: State) -> IntArray:
        """Places (indexes into `ranked`) in their new order; a place left out is dropped.

        Only the first `query.count` places reach the slate, so the rest need no care.
        """
        raise NotImplementedError
