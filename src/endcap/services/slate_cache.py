"""Slates that were made a moment ago, for whoever asks the same: in this process, then shared.

A slate is found again only where nothing that it was made from is another one now: the request, the
placement's and the rules' versions, lists and badges, the catalogue, the snapshot, and a moment of
`seconds` at the most (schedules and dates change between moments, never within one). Events of
other visitors begin a new epoch at once while they are few, at least every quarter of a second
else. A slate for which anything of its visitor was read is never given to another. Only what is
asked again within two moments is kept.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from endcap.core.answer import Slate
from endcap.core.event import Inputs, Line, Served
from endcap.core.times import SECOND
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query
from endcap.recommend.watched import Watched, fields_of, was_personal, watch

from .epochs import Epochs
from .resolve import Asked

FORMAT = 1
MOST_ITEMS = 50_000
MOST_PERSONAL = 10_000
# Slates on their way to the shared cache; more are not sent.
MOST_SENDING = 64
_encode = msgspec.msgpack.Encoder().encode


class SharedSlates(Protocol):
    """A cache beside the processes. It may be away at any time; nothing depends on it."""

    async def get(self, key: str) -> bytes | None:
        """What was put; None when there is nothing, or no answer in time."""

    async def put(self, key: str, content: bytes, seconds: float) -> None:
        """Keep it for so long, if that works."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A slate without a token, and what the log has to know of it.

    `at` is the time it was made (UTC milliseconds) and `inputs.tail` the place in the log. `anyone`
    says that nothing of the visitor was read; without it, it is one for strangers in `segments`.
    `key` is its own name in the shared cache.
    """

    slate: Slate
    detail: Served
    inputs: Inputs
    lines: tuple[Line, ...]
    at: int
    anyone: bool
    segments: tuple[str, ...] = ()
    key: str = ""


class Lookup(NamedTuple):
    """What is looked for: `request` is the request as msgpack, without its visitor.

    `placed` is the placement with its rules, `key` names the slate within its moment, `epoch` is
    what it must know of the log. `lately` says that the same was asked in the moment before.
    """

    request: bytes
    personal: bool
    placed: tuple[object, ...]
    key: tuple[object, ...]
    epoch: tuple[int, int]
    lately: bool
    stranger: bool
    segments: tuple[str, ...]
    cart_is_given: bool


class SlateCache:
    """Slates of one moment. All calls come from the event loop's thread.

    `seconds` is how long a moment is. `found` counts where slates came from: `memory`, `shared` or
    `made`.
    """

    def __init__(
        self, seconds: float, shared: SharedSlates | None = None, most_items: int = MOST_ITEMS
    ) -> None:
        self._length = max(1, round(seconds * SECOND))
        self._shared = shared
        self._most = most_items
        self._kept: OrderedDict[tuple[object, ...], Kept] = OrderedDict()
        self._items = 0
        self._moment = -1
        # Hashes of what was asked in this moment and in the one before.
        self._asked: set[int] = set()
        self._before: set[int] = set()
        self._asking: set[tuple[object, ...]] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._personal: set[tuple[object, ...]] = set()
        self._epochs = Epochs()
        self.found: Counter[str] = Counter(memory=0, shared=0, made=0)

    def lookup(
        self, asked: Asked, plan: Plan, rules: PlacementRules, query: Query
    ) -> Lookup | None:
        """What to look for; None for a request that is of one visitor, or looked into."""
        request, state = asked.request, asked.state
        shop = state.columns.shop
        if request.explain or request.as_of is not None or len(query.taken):
            return None
        if any(
            _concerns(one.offer.placements, plan.name) for one in state.merchant.offers.values()
        ):
            return None  # An offer is made so many times, and not to everybody.
        placed = (shop, plan.name, plan.version, rules.stamp)
        stranger = not query.visitor
        if not stranger and placed in self._personal:
            return None
        self._turn(query.now // self._length)
        bare = _encode(msgspec.structs.replace(request, visitor=None, session=None, explain=False))
        base = (*placed, bare)
        lately, often = self._asked_for(hash(base))
        if not often:
            # Most of what is asked once is not asked again, and then to keep it costs for nothing.
            self.found["made"] += 1
            return None
        epoch = self._epochs.now(shop, state.tail)
        columns, snapshot = state.columns.change, state.joined.version
        key = (*base, columns, snapshot, state.merchant.stamp, self._moment)
        segments = tuple(sorted(query.traits.segments)) if stranger else ()
        given = request.cart is not None
        return Lookup(bare, plan.personal, placed, key, epoch, lately, stranger, segments, given)

    async def find(self, lookup: Lookup) -> Kept | None:
        """The slate, if there is one."""
        kept = self._kept.get((*lookup.key, lookup.epoch[0]))
        if kept is not None and _fits(kept, lookup):
            self._kept.move_to_end((*lookup.key, lookup.epoch[0]))
            self.found["memory"] += 1
            return kept
        if self._shared is not None and lookup.lately:
            kept = await self._ask(self._shared, lookup)
            if kept is not None:
                self.found["shared"] += 1
                self._keep(lookup, kept)
                return kept
        self.found["made"] += 1
        return None

    def watched(self, lookup: Lookup, query: Query) -> Watched:
        """The query to make the slate with, when none was found."""
        return watch(query, fields_of(lookup.personal, lookup.cart_is_given))

    def keep(self, lookup: Lookup, query: Watched, slate: Slate, detail: Served) -> None:
        """The slate that was made, for who asks next."""
        anyone = not was_personal(query)
        if not anyone and not lookup.stranger:
            if len(self._personal) >= MOST_PERSONAL:
                self._personal.clear()
            self._personal.add(lookup.placed)
            return
        assert detail.inputs is not None
        kept = Kept(
            slate=msgspec.structs.replace(slate, token="", degraded=[]),
            detail=msgspec.structs.replace(detail, segments=(), micros=0, inputs=None),
            inputs=msgspec.structs.replace(detail.inputs, request=b"", kept=0, newest=0),
            lines=tuple(Line(item.id) for item in slate.items),
            at=query.now,
            anyone=anyone,
            segments=lookup.segments,
            key=_name(lookup),
        )
        self._keep(lookup, kept)
        if self._shared is not None and lookup.lately:
            self._send(self._shared, kept)

    async def stop(self) -> None:
        """Let go of what is on its way."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _turn(self, moment: int) -> None:
        if moment != self._moment:
            self._moment = moment
            self._kept.clear()
            self._items = 0
            self._before, self._asked = self._asked, set()

    def _asked_for(self, asked: int) -> tuple[bool, bool]:
        """Whether the same was asked in the moment before, and then or in this one."""
        lately, often = asked in self._before, asked in self._before or asked in self._asked
        if len(self._asked) < self._most:
            self._asked.add(asked)
        return lately, often

    def _keep(self, lookup: Lookup, kept: Kept) -> None:
        if lookup.key[-1] != self._moment:
            return
        key = (*lookup.key, lookup.epoch[0])
        before = self._kept.pop(key, None)
        self._items -= _size(before) if before is not None else 0
        self._kept[key] = kept
        self._items += _size(kept)
        while self._items > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._items -= _size(oldest)

    async def _ask(self, shared: SharedSlates, lookup: Lookup) -> Kept | None:
        if lookup.key in self._asking:
            return None  # It is quicker made than waited for.
        self._asking.add(lookup.key)
        try:
            content = await shared.get(_name(lookup))
        finally:
            self._asking.discard(lookup.key)
        if content is None:
            return None
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        current = kept.key == _name(lookup) and kept.inputs.tail >= lookup.epoch[1]
        return kept if current and _fits(kept, lookup) else None

    def _send(self, shared: SharedSlates, kept: Kept) -> None:
        if len(self._sending) < MOST_SENDING:
            content = msgspec.json.encode(kept)
            task = asyncio.get_running_loop().create_task(
                shared.put(kept.key, content, self._length / SECOND)
            )
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


def detail_again(
    kept: Kept, lookup: Lookup, asked: Asked, segments: tuple[str, ...], micros: int
) -> Served:
    """What the log keeps of a slate that is given again: as it was made, to whom it is given."""
    recent = asked.known.recent if asked.known is not None else []
    inputs = msgspec.structs.replace(
        kept.inputs,
        request=lookup.request,
        kept=len(recent),
        newest=recent[-1].occurred_at if recent else 0,
        at=kept.at if kept.at != asked.now else 0,
    )
    return msgspec.structs.replace(kept.detail, segments=segments, micros=micros, inputs=inputs)


def _concerns(placements: Sequence[str], name: str) -> bool:
    return not placements or name in placements


def _fits(kept: Kept, lookup: Lookup) -> bool:
    return kept.anyone or (lookup.stranger and kept.segments == lookup.segments)


def _size(kept: Kept) -> int:
    return 1 + len(kept.lines)


def _name(lookup: Lookup) -> str:
    digest = hashlib.blake2b(_encode((FORMAT, lookup.key)), digest_size=20)
    return f"endcap:slate:{digest.hexdigest()}"
