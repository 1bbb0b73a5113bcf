"""Visitor state in Redis, in front of the log: never stale, and never needed.

Each visitor has two keys in one slot, `{shop:visitor}:state` and `{shop:visitor}:turn`. Whoever has
written events of the visitor puts a new random turn; a state counts only together with the turn
that stood there before the log was read for it. So a state that was read before an event is never
taken for one that has it, in whatever order processes get to Redis. Both keys expire.
"""

import contextlib
import secrets
from collections.abc import Sequence
from typing import cast

import msgspec
from redis.asyncio import Redis

from endcap.core.event import Event, VisitorState
from endcap.core.ports import VisitorStore

from .redis_link import NAME, CacheUnavailable, RedisLink

STATE_SECONDS = 1_800
# Longer than any state that may name it.
TURN_SECONDS = 2 * STATE_SECONDS


class Kept(msgspec.Struct, array_like=True):
    """A state as it is in Redis; it names its own key, so that it is never taken for another's."""

    key: str
    turn: bytes
    state: VisitorState


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class RedisVisitors:
    """States from Redis where they are there and current, else from `behind`."""

    def __init__(self, link: RedisLink, behind: VisitorStore) -> None:
        self._link = link
        self._behind = behind
        link.refresh = _new_turns

    async def recent(self, shop: str, visitor: str) -> VisitorState:
        """See the port."""
        key = _key(shop, visitor)
        try:
            kept, turn = await self._link.call(lambda redis: _read(redis, key))
        except CacheUnavailable:
            return _degraded(await self._behind.recent(shop, visitor))
        if kept is not None and kept.turn == turn:
            return kept.state
        state = await self._behind.recent(shop, visitor)
        if state.degraded:
            return state
        content = _encode(Kept(key, turn, state))
        try:
            await self._link.call(lambda redis: redis.set(key + "state", content, ex=STATE_SECONDS))
        except CacheUnavailable:
            return _degraded(state)
        return state

    async def fold(self, events: Sequence[Event]) -> None:
        """See the port. Called when the events are in the log, before they are acknowledged."""
        await self._behind.fold(events)
        await self._invalidate({_key(event.shop, event.visitor) for event in events})

    async def forget(self, shop: str, visitor: str) -> None:
        """See the port. The state is removed too, not only made void."""
        await self._behind.forget(shop, visitor)
        await self._invalidate({_key(shop, visitor)})
        with contextlib.suppress(CacheUnavailable):
            await self._link.call(lambda redis: redis.unlink(_key(shop, visitor) + "state"))

    async def _invalidate(self, keys: set[str]) -> None:
        if not keys:
            return
        names = sorted(keys)
        try:
            await self._link.call(lambda redis: _new_turns(redis, names))
        except CacheUnavailable:
            self._link.mark_stale(names)


def _key(shop: str, visitor: str) -> str:
    # The part in braces decides the slot of a cluster; a shop's name may hold anything.
    return f"{{{shop.encode().hex()}:{visitor}}}:"


async def _read(redis: Redis, key: str) -> tuple[Kept | None, bytes]:
    content, turn = await _get(redis, key + "state", key + "turn")
    if turn is not None:
        return _kept(content, key), turn
    fresh = secrets.token_bytes(12)
    await redis.set(key + "turn", fresh, ex=TURN_SECONDS, nx=True)
    # Whichever was first is the one.
    (turn,) = await _get(redis, key + "turn")
    if turn is None:
        # There is a value of another type, which is replaced.
        await redis.set(key + "turn", fresh, ex=TURN_SECONDS)
        turn = fresh
    return None, turn


async def _get(redis: Redis, *names: str) -> list[bytes | None]:
    """Values, None for one that is missing or of another type."""
    return cast("list[bytes | None]", await redis.mget(*names))


def _kept(content: bytes | None, key: str) -> Kept | None:
    if content is None:
        return None
    try:
        kept = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept if kept.key == key else None


async def _new_turns(redis: Redis, keys: list[str]) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.set(key + "turn", secrets.token_bytes(12), ex=TURN_SECONDS)
        await pipeline.execute()


def _degraded(state: VisitorState) -> VisitorState:
    return msgspec.structs.replace(state, degraded=(*state.degraded, NAME))
