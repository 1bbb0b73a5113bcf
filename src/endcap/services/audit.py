"""The audit log: every change and every personal read, chained so that tampering shows.

Entries that wait together are written as one block with one commit. A block's hash is an HMAC over
the hash before it and its entries, under a key that is not in the store: somebody who can write the
store can neither change, drop nor insert a block unseen. Block names count down, so that the first
page is the newest.
"""

import asyncio
import hmac

import msgspec

from endcap.core.errors import EndcapError, StoreUnavailable, VersionConflict
from endcap.core.failures import kind_of
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import Clock

KIND = "audit"
MAX_NUMBER = 10**15
PAGE = 200
TRIES = 20


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act: who did what to what, when, and how it was answered.

    A visitor is named by a hash under a key of its own, never by id or pseudonym.
    """

    at: int
    actor: str
    operation: str
    target: str = ""
    status: int = 200
    request_id: str = ""
    note: str = ""


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for; empty fields match everything. Times are UTC milliseconds."""

    actor: str = ""
    operation: str = ""
    target: str = ""
    since: int = 0
    until: int = 2**62

    def matches(self, entry: AuditEntry) -> bool:
        """Whether the entry is looked for."""
        return (
            self.since <= entry.at < self.until
            and (not self.actor or entry.actor == self.actor)
            and (not self.operation or entry.operation == self.operation)
            and (not self.target or entry.target == self.target)
        )


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, newest first; `next_cursor` asks for older ones."""

    data: list[AuditEntry]
    next_cursor: str | None


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What walking the whole chain found; `broken_at` is the first block that is not right."""

    intact: bool
    blocks: int
    entries: int
    broken_at: int | None = None


class _Block(msgspec.Struct, frozen=True):
    number: int
    previous: str
    entries: list[AuditEntry]
    hash: str


class _Chain:
    """What one shop's chain ends with, and what waits to be written."""

    def __init__(self) -> None:
        self.known = False
        self.number = 0
        self.hash = ""
        self.waiting: list[tuple[AuditEntry, asyncio.Future[None]]] = []
        self.task: asyncio.Task[None] | None = None


class AuditLog:
    """Appends, searches and checks the chains of all shops."""

    def __init__(self, control: Control, key: bytes, clock: Clock) -> None:
        self._control = control
        self._key = key
        self._clock = clock
        self._chains: dict[str, _Chain] = {}

    async def add(self, shop: str, entry: AuditEntry) -> None:
        """Append an entry; it is durable when this returns. Raises StoreUnavailable."""
        chain = self._chains.setdefault(shop, _Chain())
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        chain.waiting.append((entry, done))
        if chain.task is None or chain.task.done():
            chain.task = loop.create_task(self._write(shop, chain))
        await asyncio.shield(done)

    async def search(self, shop: str, wanted: AuditFilter, cursor: str, limit: int) -> AuditPage:
        """Entries that match, newest first, `limit` or a few more (whole blocks) at a time."""
        found: list[AuditEntry] = []
        while len(found) < limit:
            page = await asyncio.to_thread(self._control.page, shop, KIND, cursor, PAGE)
            for record in page:
                cursor = record.name
                block = msgspec.json.decode(record.body or b"", type=_Block)
                found += [e for e in reversed(block.entries) if wanted.matches(e)]
                if len(found) >= limit:
                    return AuditPage(found, cursor)
            if len(page) < PAGE:
                return AuditPage(found, None)
        return AuditPage(found, cursor)

    async def check(self, shop: str) -> AuditCheck:
        """Walk the whole chain, newest to oldest, and recompute every hash."""
        blocks = entries = 0
        cursor, after = "", None
        while True:
            page = await asyncio.to_thread(self._control.page, shop, KIND, cursor, PAGE)
            for record in page:
                cursor = record.name
                block = msgspec.json.decode(record.body or b"", type=_Block)
                if not self._sound(block, after, record):
                    return AuditCheck(
                        intact=False, blocks=blocks, entries=entries, broken_at=block.number
                    )
                blocks, entries, after = blocks + 1, entries + len(block.entries), block
            if len(page) < PAGE:
                break
        whole = after is None or after.number == 1
        missing = None if whole or after is None else after.number - 1
        return AuditCheck(intact=whole, blocks=blocks, entries=entries, broken_at=missing)

    def _sound(self, block: _Block, after: _Block | None, record: ControlRecord) -> bool:
        follows = after is None or (
            after.number == block.number + 1 and after.previous == block.hash
        )
        right = self._hash(block.number, block.previous, block.entries) == block.hash
        return follows and right and record.version == 1 and record.name == _name(block.number)

    async def _write(self, shop: str, chain: _Chain) -> None:
        while chain.waiting:
            group, chain.waiting = chain.waiting, []
            failure: EndcapError | None = None
            try:
                await self._append(shop, chain, [entry for entry, _ in group])
            except EndcapError as error:
                failure = error
            except Exception as error:
                failure = StoreUnavailable(f"the audit log was not written: {kind_of(error)}")
            for _, done in group:
                if done.done():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
                    done.exception()

    async def _append(self, shop: str, chain: _Chain, entries: list[AuditEntry]) -> None:
        for _ in range(TRIES):
            if not chain.known:
                await self._read_end(shop, chain)
            number = chain.number + 1
            hashed = self._hash(number, chain.hash, entries)
            block = _Block(number, chain.hash, entries, hashed)
            record = ControlRecord(
                kind=KIND,
                name=_name(number),
                version=0,
                body=msgspec.json.encode(block),
                author="endcap",
                note="",
                created_at=self._clock(),
            )
            try:
                await asyncio.to_thread(self._control.put, shop, record, 0)
            except VersionConflict:
                chain.known = False  # another replica was first
                continue
            chain.number, chain.hash = number, hashed
            return
        raise StoreUnavailable("the audit log is contended; try again")

    async def _read_end(self, shop: str, chain: _Chain) -> None:
        newest = await asyncio.to_thread(self._control.page, shop, KIND, "", 1)
        if newest:
            block = msgspec.json.decode(newest[0].body or b"", type=_Block)
            chain.number, chain.hash = block.number, block.hash
        chain.known = True

    def _hash(self, number: int, previous: str, entries: list[AuditEntry]) -> str:
        content = msgspec.json.encode([number, previous, entries])
        return hmac.new(self._key, content, "sha256").hexdigest()


def _name(number: int) -> str:
    return f"{MAX_NUMBER - number:016d}"
