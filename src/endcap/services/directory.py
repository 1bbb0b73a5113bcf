"""The directory: who there is (accounts, clients, keys, roles), from memory; changes are durable.

Control data is the record; every change is a version with its author. `load` reads a shop again,
which replicas do to see each other's changes.
"""

import asyncio
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from endcap.core.access import ROLES
from endcap.core.accounts import Account, Client, Key, Role
from endcap.core.errors import NotFound
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import Clock

Entry = Account | Client | Key | Role
E = TypeVar("E", Account, Client, Key, Role)
KINDS: dict[type[Entry], str] = {
    Account: "account",
    Client: "client",
    Key: "key",
    Role: "role",
}


class _Shop:
    """What one shop has, by name; keys also by digest."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS.values()}
        self.versions: dict[tuple[str, str], int] = {}
        self.by_digest: dict[str, Key] = {}


class Directory:
    """Looks up in memory and writes through to the control store."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock
        self._shops: dict[str, _Shop] = {}
        self._origins: frozenset[str] | None = None

    async def load(self, shop: str) -> None:
        """Read what the shop has; replaces what memory holds of it in one step."""
        fresh = _Shop()
        for kind, name in KINDS.items():
            for record in await asyncio.to_thread(self._control.latest, shop, name):
                _take(fresh, name, msgspec.json.decode(record.body or b"{}", type=kind), record)
        self._shops[shop] = fresh
        self._origins = None

    @property
    def shops(self) -> list[str]:
        """The shops that were loaded."""
        return list(self._shops)

    def find(self, shop: str, kind: type[E], name: str) -> E | None:
        """The entry, or None."""
        found = self._shop(shop).entries[KINDS[kind]].get(name)
        return found if isinstance(found, kind) else None

    def get(self, shop: str, kind: type[E], name: str) -> E:
        """The entry. Raises NotFound."""
        found = self.find(shop, kind, name)
        if found is None:
            raise NotFound(f"no {KINDS[kind]} `{name[:200]}`")
        return found

    def all(self, shop: str, kind: type[E]) -> list[E]:
        """Every entry of a kind, by name."""
        entries = self._shop(shop).entries[KINDS[kind]]
        return [e for _, e in sorted(entries.items()) if isinstance(e, kind)]

    def key(self, digest: str) -> tuple[str, Key] | None:
        """The shop and the key with this digest, not yet expired."""
        for shop, held in self._shops.items():
            key = held.by_digest.get(digest)
            if key is not None:
                expired = key.expires_at is not None and key.expires_at <= self._clock()
                return None if expired else (shop, key)
        return None

    def client(self, name: str) -> tuple[str, Client] | None:
        """The shop and the client of this id; ids are unique in the installation."""
        for shop in self._shops:
            client = self.find(shop, Client, name)
            if client is not None:
                return shop, client
        return None

    def scopes_of(self, shop: str, roles: Iterable[str]) -> frozenset[str]:
        """The scopes of roles, the shop's own and the built-in ones."""
        scopes: frozenset[str] = frozenset()
        for name in roles:
            own = self.find(shop, Role, name)
            scopes |= ROLES.get(name) or frozenset(own.scopes if own else ())
        return scopes

    def origins(self) -> frozenset[str]:
        """Every origin that some publishable key works from."""
        if self._origins is None:
            keys = (key for shop in self._shops for key in self.all(shop, Key))
            self._origins = frozenset(origin for key in keys for origin in key.origins)
        return self._origins

    async def put(self, shop: str, entry: E, author: str, note: str = "") -> E:
        """Store an entry, new or changed; it counts when this returns. Raises VersionConflict."""
        kind, name = KINDS[type(entry)], _name(entry)
        record = self._record(kind, name, msgspec.json.encode(entry), author, note)
        expected = self._shop(shop).versions.get((kind, name))
        stored = await asyncio.to_thread(self._control.put, shop, record, expected)
        _take(self._shop(shop), kind, entry, stored)
        self._origins = None
        return entry

    async def remove(self, shop: str, kind: type[E], name: str, author: str) -> E:
        """Take an entry out; it counts for nothing when this returns. Raises NotFound."""
        entry = self.get(shop, kind, name)
        record = self._record(KINDS[kind], name, None, author, "removed")
        await asyncio.to_thread(self._control.put, shop, record, None)
        held = self._shop(shop)
        held.entries[KINDS[kind]].pop(name, None)
        held.versions.pop((KINDS[kind], name), None)
        if isinstance(entry, Key):
            held.by_digest.pop(entry.digest, None)
            self._origins = None
        return entry

    def _shop(self, shop: str) -> _Shop:
        return self._shops.setdefault(shop, _Shop())

    def _record(
        self, kind: str, name: str, body: bytes | None, author: str, note: str
    ) -> ControlRecord:
        return ControlRecord(
            kind=kind,
            name=name,
            version=0,
            body=body,
            author=author,
            note=note,
            created_at=self._clock(),
        )


def _name(entry: Entry) -> str:
    return entry.id if isinstance(entry, Client | Key) else entry.name


def _take(held: _Shop, kind: str, entry: Entry, record: ControlRecord) -> None:
    held.entries[kind][record.name] = entry
    held.versions[kind, record.name] = record.version
    if isinstance(entry, Key):
        held.by_digest[entry.digest] = entry
