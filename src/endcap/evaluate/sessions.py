"""Next-item evaluation: the plan of a placement answers every prefix of held-out sessions."""

import time
from collections.abc import Callable

import msgspec
import numpy as np

from endcap.catalog.arrays import NO_ITEMS, LongArray
from endcap.core.errors import InvalidInput
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State

from .measures import Collected
from .replica import EPOCH, Lines, laid_out
from .session_data import Examples, Visits

Tick = Callable[[str, float], None]
MAX_K = 100


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """What counts: the first `k` answers. With `discovery` the session's own products are not
    shown, and only examples that went on to a new product are asked about; with `drop_current` the
    product looked at now is not shown."""

    k: int = 20
    discovery: bool = False
    drop_current: bool = False


def lines_of(visits: Visits) -> tuple[list[str], Lines]:
    """The products in the order of their ids, and the clicks as lines of a log."""
    names, product = np.unique(visits.item.astype(str), return_inverse=True)
    ids = sorted(names.tolist(), key=str.encode)
    number = {product: place for place, product in enumerate(ids)}
    product = np.array([number[name] for name in names.tolist()], np.int64)[product]
    ends = np.flatnonzero(np.diff(visits.session, append=-1))
    begins = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    places = np.arange(len(product)) - begins[visits.session]
    event, moment = laid_out(visits.session, places)
    if visits.time is not None:
        moment = (visits.time * 1_000).astype(np.int64)
    return ids, Lines("view", event, product, visits.session, visits.session, moment)


def run_examples(
    state: State,
    plan: Plan,
    examples: Examples,
    protocol: Protocol,
    tick: Tick,
    now: int = EPOCH,
) -> Collected:
    """Answer every prefix through the request path, as if at `now`. Raises InvalidInput for a k
    that cannot be done."""
    if not 1 <= protocol.k <= MAX_K:
        raise InvalidInput(f"k: {protocol.k} is not 1 to {MAX_K}")
    pipeline = Pipeline()
    collected = Collected(protocol.k)
    columns = state.columns
    total = len(examples.targets)
    for place, (prefix, target) in enumerate(zip(examples.prefixes, examples.targets, strict=True)):
        if protocol.discovery and target in prefix:
            continue
        session = columns.rows(reversed(prefix))
        barred = session if protocol.discovery else NO_ITEMS
        if protocol.drop_current and columns.row(prefix[-1]) is not None:
            barred = session[:1]
        query = Query(
            now=now, count=protocol.k, session=session, viewed=_once(session), excluded=barred
        )
        begun = time.perf_counter()
        picks = pipeline.run(plan, query, state).picks
        spent = time.perf_counter() - begun
        answer = np.array([pick.row for pick in picks], np.int32)
        collected.add(answer, columns.rows([target]), spent)
        if place % 1_000 == 0:
            tick("answering", place / total)
    return collected


def clicks_per_product(state: State, lines: Lines) -> LongArray:
    """Clicks per catalogue row."""
    return np.bincount(lines.product, minlength=len(state.columns)).astype(np.int64)


def _once(session: np.ndarray[tuple[int], np.dtype[np.int32]]) -> np.ndarray:
    _, first = np.unique(session, return_index=True)
    return session[np.sort(first)]
