"""The privacy gate: what may be done with a visitor's data, asked before anything is."""

import asyncio
import hmac
from collections import OrderedDict

import msgspec

from endcap.core.consent import EVERYTHING, UNKNOWN, Allowed, Consent, ConsentView, decide
from endcap.core.errors import VersionConflict, VisitorErased
from endcap.core.event import Event
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.core.times import Clock

KIND = "consent"
TOMBSTONE = "suppressed"
CHOSEN = (KIND, "profile", "visitor_tags")
"""Kinds of control data whose names are visitors."""
REMEMBERED = 200_000
TRIES = 5


class Gate:
    """Consent by visitor, visitors being erased, and those that were.

    `unknown` is the policy for visitors who have said nothing. Visitors are pseudonyms here.
    """

    def __init__(
        self, control: Control | None, subject_key: bytes, clock: Clock, unknown: bool = True
    ) -> None:
        self._control = control
        self._key = subject_key
        self._clock = clock
        self._unknown = unknown
        self._known: OrderedDict[tuple[str, str], Consent] = OrderedDict()
        self._any: set[str] = set()
        self.suppressed: set[tuple[str, str]] = set()
        self._erased: dict[str, int] = {}
        self._last_erasure = 0

    async def load(self, shop: str) -> None:
        """Find out whether the shop has any consent at all; without, none is looked up."""
        if self._control is not None:
            found = await asyncio.to_thread(self._control.page, shop, KIND, "", 1)
            if found:
                self._any.add(shop)

    async def refresh(self, shop: str) -> None:
        """See what another replica wrote of consent and of visitors being erased."""
        await self.load(shop)
        for key in [key for key in self._known if key[0] == shop]:
            self._known.pop(key)
        if self._control is not None:
            marks = await asyncio.to_thread(self._control.latest, shop, TOMBSTONE)
            others = {one for one in self.suppressed if one[0] != shop}
            self.suppressed = others | {(shop, record.name) for record in marks}

    async def allowed(self, shop: str, visitor: str | None, asked: Consent) -> Allowed:
        """What may be done for a request of this visitor that itself says `asked`."""
        if visitor is None:
            return decide(UNKNOWN, asked, self._unknown)
        if (shop, visitor) in self.suppressed:
            return Allowed(False, False, False)
        if shop not in self._any and asked is UNKNOWN:
            return EVERYTHING if self._unknown else Allowed(False, False, False)
        return decide(await self.consent(shop, visitor), asked, self._unknown)

    async def consent(self, shop: str, visitor: str) -> Consent:
        """What the visitor chose."""
        key = (shop, visitor)
        if shop not in self._any:
            return UNKNOWN
        if key not in self._known:
            self._remember(key, (await self.view(shop, visitor)).consent)
        return self._known[key]

    async def view(self, shop: str, visitor: str) -> ConsentView:
        """What is kept of the visitor's choices now."""
        record = await self._record(shop, visitor)
        if record is None or record.body is None:
            return ConsentView(consent=UNKNOWN, version=0, updated_at=None)
        return _view(record)

    async def history(self, shop: str, visitor: str) -> list[ConsentView]:
        """Every choice the visitor made, newest first."""
        if self._control is None:
            return []
        records = await asyncio.to_thread(self._control.history, shop, KIND, visitor)
        return [_view(record) for record in records if record.body is not None]

    async def chosen(self, shop: str, visitor: str) -> dict[str, msgspec.Raw]:
        """All control data under the visitor's name, by kind."""
        found: dict[str, msgspec.Raw] = {}
        for kind in CHOSEN if self._control is not None else ():
            assert self._control is not None
            record = await asyncio.to_thread(self._control.get, shop, kind, visitor, None)
            if record is not None and record.body is not None:
                found[kind] = msgspec.Raw(record.body)
        return found

    async def choose(self, shop: str, visitor: str, choice: Consent, by: str) -> ConsentView:
        """Keep the choices that `choice` makes; what it leaves unknown stays as it was."""
        assert self._control is not None
        for _ in range(TRIES):
            before = await self._record(shop, visitor)
            old = _view(before).consent if before is not None and before.body else UNKNOWN
            merged = Consent(
                **{
                    name: new if (new := getattr(choice, name)) != "unknown" else getattr(old, name)
                    for name in Consent.__struct_fields__
                }
            )
            record = ControlRecord(
                kind=KIND,
                name=visitor,
                version=0,
                body=msgspec.json.encode(merged),
                author=by,
                note="",
                created_at=self._clock(),
            )
            version = before.version if before is not None else 0
            try:
                stored = await asyncio.to_thread(self._control.put, shop, record, version)
            except VersionConflict:
                continue
            self._any.add(shop)
            self._remember((shop, visitor), merged)
            return _view(stored)
        raise VersionConflict("the visitor's consent changes all the time; try again")

    async def signal(self, shop: str, visitor: str) -> None:
        """Global Privacy Control: sharing is denied from now on (CCPA regulations, § 7025)."""
        if (await self.consent(shop, visitor)).sharing != "denied":
            await self.choose(shop, visitor, Consent(sharing="denied"), "gpc")

    def forget(self, shop: str, visitor: str) -> None:
        """Drop what memory holds of the visitor."""
        self._known.pop((shop, visitor), None)

    def subject(self, shop: str, visitor: str) -> str:
        """The hash under which the ledger of erasures knows a visitor."""
        return subject_of(self._key, shop, visitor)

    def erased(self, subject: str, at: int) -> None:
        """From now on, events of this visitor from before then are refused as they come late."""
        self._erased[subject] = max(at, self._erased.get(subject, 0))
        self._last_erasure = max(self._last_erasure, at)

    def check(self, shop: str, visitor: str) -> None:
        """Raise VisitorErased for a visitor that is being erased."""
        if (shop, visitor) in self.suppressed:
            raise VisitorErased

    def refuses(self, event: Event) -> bool:
        """Whether the event is of a visitor being erased, or of the time before its erasure."""
        if (event.shop, event.visitor) in self.suppressed:
            return True
        if event.occurred_at > self._last_erasure or not event.visitor:
            return False
        return event.occurred_at <= self._erased.get(self.subject(event.shop, event.visitor), -1)

    def _remember(self, key: tuple[str, str], consent: Consent) -> None:
        self._known[key] = consent
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _record(self, shop: str, visitor: str) -> ControlRecord | None:
        if self._control is None:
            return None
        return await asyncio.to_thread(self._control.get, shop, KIND, visitor, None)


def subject_of(key: bytes, shop: str, visitor: str) -> str:
    """The hash of a pseudonym that the ledger keeps; it tells the same visitor again, no more."""
    return hmac.digest(key, f"{shop}\0{visitor}".encode(), "sha256").hex()[:32]


def open_gate(clock: Clock) -> Gate:
    """A gate that keeps nothing and lets everything through."""
    return Gate(None, b"", clock)


def _view(record: ControlRecord) -> ConsentView:
    consent = msgspec.json.decode(record.body or b"{}", type=Consent)
    return ConsentView(consent=consent, version=record.version, updated_at=record.created_at)
