"""A draft replayed over the requests of the last days: what it would have shown, was it wanted.

Each served slate is made twice, under what is live now and under the draft, for the visitor as they
were at that moment; what they did afterwards tells which slate had it.
"""

import asyncio
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import numpy as np

from endcap.core.errors import EndcapError
from endcap.core.event import Event, VisitorState
from endcap.core.placement import Placement
from endcap.core.ports import EventLog
from endcap.core.times import DAY, HOUR
from endcap.ingest.fold import KEPT, LIFETIME, SHOWN, fold
from endcap.ingest.identity import events_of
from endcap.services.live import LiveState
from endcap.services.placements import PlacementService
from endcap.services.previews import Previews
from endcap.services.resolve import Asked, resolved
from endcap.services.rule_trials import request_of
from endcap.services.rules import RuleSet
from endcap.services.segments import SegmentService

from .measures import Measure, interval

PAGE = 5_000
WANTED = ("click", "cart_add", "purchase")
TOP = 10
BIAS = (
    "Visitors saw the slates that were served, and can click only what they see: hits favour what "
    "is close to it. A draft that shows something new looks worse here than it is.",
    "Catalogue and snapshot are those of now, for both: they have counted what was bought after "
    "the slates, so hits are higher than they were. Compare the two, and not with other figures.",
    "Only an experiment tells what visitors would have done with the draft.",
)
Report = Callable[[str, float], None]


class Stage(NamedTuple):
    """What a backtest works with."""

    shop: str
    live: LiveState
    placements: PlacementService
    segments: SegmentService
    previews: Previews
    log: EventLog


class Ask(NamedTuple):
    """What to compare, over which days; at most `limit` slates are drawn, by their token."""

    before: RuleSet
    after: RuleSet
    placement: str | None = None
    draft: Placement | None = None
    now: int = 0
    days: float = 7.0
    hours: float = 24.0
    limit: int = 2_000


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """How one way of answering did.

    `hit_rate` and `mrr` are over the slates whose visitor clicked, carted or bought anything within
    the hours: was any of it in the slate, and 1 / its place. `revenue_hits` is the part of the
    money spent then that went to products in the slate. `coverage` is the part of the live
    catalogue that was shown at all, `top_share` the part of all slots taken by the ten products
    shown most, `gini` how uneven the slots are spread over the products shown (0: evenly).
    """

    hit_rate: Measure
    mrr: Measure
    revenue_hits: float
    coverage: float
    top_share: float
    gini: float
    empty: int


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What the draft would have changed."""

    days: float
    slates: int
    with_outcome: int
    changed: int
    overlap: float
    served: Arm
    live: Arm
    draft: Arm
    bias: tuple[str, ...] = BIAS


class _Slates:
    """The slates of one arm with what was wanted."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []

    def arm(self, wanted: list[dict[str, int]], live: int) -> Arm:
        hits, ranks = [], []
        found = total = 0
        for slate, theirs in zip(self.shown, wanted, strict=True):
            total += sum(theirs.values())
            found += sum(value for product, value in theirs.items() if product in slate)
            if theirs:
                places = [n for n, product in enumerate(slate, 1) if product in theirs]
                hits.append(float(bool(places)))
                ranks.append(1 / places[0] if places else 0.0)
        shown = [product for slate in self.shown for product in slate]
        _, counts = np.unique(np.array(shown, object).astype(str), return_counts=True)
        counts = np.sort(counts)
        return Arm(
            hit_rate=interval(np.array(hits)),
            mrr=interval(np.array(ranks)),
            revenue_hits=found / total if total else 0.0,
            coverage=len(counts) / max(1, live),
            top_share=float(counts[-TOP:].sum() / max(1, counts.sum())),
            gini=_gini(counts.astype(np.float64)),
            empty=sum(not slate for slate in self.shown),
        )


async def backtest(stage: Stage, ask: Ask, report: Report) -> Backtest:
    """Run it. Raises InvalidInput for a draft that cannot work."""
    report("reading the log", 0.0)
    events = await asyncio.to_thread(_served, stage, ask)
    arms = (_Slates(), _Slates(), _Slates())
    wanted: list[dict[str, int]] = []
    known: dict[str, list[Event]] = {}
    for number, event in enumerate(events):
        theirs = await _events_of(stage, event.visitor, known)
        slates = _again(stage, ask, event, theirs)
        if slates is None:
            continue
        for arm, slate in zip(arms, slates, strict=True):
            arm.shown.append(slate)
        wanted.append(_outcome(event, theirs, ask.hours))
        report("answering again", number / len(events))
    live = stage.live.state(stage.shop).columns.live
    pairs = list(zip(arms[1].shown, arms[2].shown, strict=True))
    return Backtest(
        days=ask.days,
        slates=len(pairs),
        with_outcome=sum(bool(one) for one in wanted),
        changed=sum(one != other for one, other in pairs),
        overlap=float(np.mean([_overlap(*pair) for pair in pairs])) if pairs else 1.0,
        served=arms[0].arm(wanted, live),
        live=arms[1].arm(wanted, live),
        draft=arms[2].arm(wanted, live),
    )


def _again(
    stage: Stage, ask: Ask, event: Event, theirs: list[Event]
) -> tuple[list[str], list[str], list[str]] | None:
    """What was served, what is live, and the draft; None when it cannot be made again."""
    request = request_of(event)
    if request is None:
        return None
    try:
        plan = stage.placements.plan(stage.shop, event.placement or "")
    except EndcapError:
        return None
    known = None
    if event.visitor and plan.personal:
        known = VisitorState()
        fold(known, [one for one in theirs if one.received_at <= event.occurred_at])
    state = stage.live.state(stage.shop)
    drafted = stage.previews.drafted(plan, ask.draft if event.placement == ask.placement else None)
    made = []
    for one, rules in ((plan, ask.before), (drafted, ask.after)):
        asked = Asked(request, one, state, event.occurred_at, event.visitor, event.session, known)
        own, query = resolved(asked, stage.segments)
        outcome = stage.previews.run(own, query, state, rules)
        made.append([state.columns.ids[pick.row] for pick in outcome.picks])
    return [line.product for line in event.lines], made[0], made[1]


def _outcome(event: Event, theirs: Iterable[Event], hours: float) -> dict[str, int]:
    """What the visitor clicked, carted or bought afterwards, with the money spent on it."""
    begin, end = event.occurred_at, event.occurred_at + int(hours * HOUR)
    found: dict[str, int] = {}
    for one in theirs:
        if one.type not in WANTED or not begin < one.occurred_at <= end:
            continue
        for line in one.lines:
            spent = (line.price or 0) * line.quantity if one.type == "purchase" else 0
            found[line.product] = found.get(line.product, 0) + spent
    return found


async def _events_of(stage: Stage, visitor: str, known: dict[str, list[Event]]) -> list[Event]:
    if not visitor:
        return []
    if visitor not in known:

        def read(one: str, limit: int, types: Iterable[str]) -> list[Event]:
            return stage.log.by_visitor(stage.shop, one, limit, tuple(types))

        known[visitor] = await asyncio.to_thread(
            events_of, read, visitor, LIFETIME, (*KEPT, *SHOWN)
        )
    return known[visitor]


def _served(stage: Stage, ask: Ask) -> list[Event]:
    """Served events of the days, oldest first; of too many, those whose token's hash is lowest."""
    begin = ask.now - int(ask.days * DAY)
    seq = _place_before(stage, begin)
    found: list[Event] = []
    mask = 0
    while page := stage.log.after(stage.shop, seq, PAGE):
        seq = page[-1].seq
        for event in page:
            mine = event.type == "served" and event.occurred_at >= begin
            mine = mine and (ask.placement is None or event.placement == ask.placement)
            if mine and not zlib.crc32(event.event_id.encode()) & mask:
                found.append(event)
        while len(found) > 2 * ask.limit:
            mask = 2 * mask + 1
            found = [e for e in found if not zlib.crc32(e.event_id.encode()) & mask]
    found.sort(key=lambda e: zlib.crc32(e.event_id.encode()))
    return sorted(found[: ask.limit], key=lambda e: e.seq)


def _place_before(stage: Stage, moment: int) -> int:
    """A place in the log before which nothing was received at `moment` or later."""
    low, high = 0, stage.log.last(stage.shop)
    while low < high:
        middle = (low + high) // 2
        page = stage.log.after(stage.shop, middle, 1)
        if page and page[0].received_at < moment:
            low = max(middle + 1, page[0].seq)
        else:
            high = middle
    # Events of one moment may stand a little out of order.
    return max(0, low - PAGE)


def _overlap(one: list[str], other: list[str]) -> float:
    both = {*one} | {*other}
    return len({*one} & {*other}) / len(both) if both else 1.0


def _gini(counts: "np.typing.NDArray[np.float64]") -> float:
    size = len(counts)
    if not size:
        return 0.0
    ranks = np.arange(1, size + 1)
    return float((2 * ranks - size - 1) @ counts / (size * counts.sum()))
