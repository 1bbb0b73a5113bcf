"""Collecting events: decode, validate, store durably, fold into visitor state, then answer."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from endcap.core.consent import UNKNOWN, Consent
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import MAX_BATCH, DeadLetter, Event, EventIn, Traffic
from endcap.core.merchant import Alias
from endcap.core.ports import VisitorStore
from endcap.core.receipt import Receipt, Verdict
from endcap.core.times import Clock, parse_time
from endcap.ingest.decode import Element, decode_batch
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.ingest.validate import Sender, Valid, Validator

from .gate import Gate
from .letters import Letters
from .served import Committer

MAX_DEAD_LETTER = 32_768
ERASED = (FieldProblem("/visitor", "visitor_erased", "asked to be erased; the event was not kept"),)
LOG = logging.getLogger(__name__)
_ENCODER = msgspec.json.Encoder()

Check = Callable[[Sequence[Element]], Awaitable[None]]
"""Looks at a decoded batch before anything of it is taken, and raises when it must not be."""


class Collector:
    """Takes events of every shop; what it answers `accepted` is on disk."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators of the event path, given once
        self,
        committer: Committer,
        visitors: VisitorStore,
        pseudonyms: Pseudonyms,
        clock: Clock,
        new_id: Callable[[], str],
        currency: str,
        gate: Gate,
        letters: Letters,
        aliases: Callable[[str], Mapping[str, Alias]] = lambda _: {},
    ) -> None:
        self.verdicts = {"accepted": 0, "duplicate": 0, "rejected": 0}
        self._committer = committer
        self._visitors = visitors
        self._validator = Validator(pseudonyms, new_id)
        self._clock = clock
        self._currency = currency
        self._gate = gate
        self._letters = letters
        self._aliases = aliases

    async def collect(
        self,
        shop: str,
        source: str,
        body: bytes,
        traffic: Traffic | None = None,
        check: Check | None = None,
        consent: Consent = UNKNOWN,
    ) -> Receipt:
        """Take a request body; `traffic` says that a program sent it, `check` may refuse it all.

        `consent` is what the request allows; without analytics events are kept under nobody.

        Raises MalformedBody or InvalidInput when it holds no batch, StoreUnavailable or Overloaded
        when nothing of it was stored, and what `check` raises.
        """
        now = self._clock()
        batch = decode_batch(body)
        if check is not None:
            await check(batch.elements)
        sender = Sender(
            shop, source, now, self._currency, _skew(batch.sent_at, now), traffic, consent
        )
        return await self._take(batch.elements, sender)

    async def collect_elements(
        self,
        shop: str,
        source: str,
        elements: Sequence[Element],
        sent_at: str | None = None,
        traffic: Traffic | None = None,
    ) -> Receipt:
        """Take events that were mapped from another form. Raises as `collect`."""
        if len(elements) > MAX_BATCH:
            message = f"has {len(elements)} events, at most {MAX_BATCH}"
            raise InvalidInput(message, [FieldProblem("", "too_many", message)])
        now = self._clock()
        sender = Sender(shop, source, now, self._currency, _skew(sent_at, now), traffic)
        return await self._take(elements, sender)

    async def take(self, shop: str, source: str, events: Sequence[EventIn]) -> Receipt:
        """Take events that are decoded already, as an import's are."""
        sender = Sender(shop, source, self._clock(), self._currency)
        return await self._take([Element(event, b"") for event in events], sender)

    def refused(self, shop: str, source: str, events: Sequence[EventIn]) -> list[Verdict]:
        """Which of the events `take` would reject; nothing is stored."""
        sender = Sender(shop, source, self._clock(), self._currency)
        found = ((i, self._validator.check(event, sender)) for i, event in enumerate(events))
        return [Verdict(i, "rejected", None, r) for i, r in found if not isinstance(r, Valid)]

    async def _take(self, elements: Sequence[Element], sender: Sender) -> Receipt:
        verdicts: list[Verdict | None] = [None] * len(elements)
        events: list[Event] = []
        places: list[tuple[int, tuple[str, ...]]] = []
        dead: list[DeadLetter] = []
        for index, element in enumerate(elements):
            found = self._checked(element, sender)
            if isinstance(found, Valid):
                places.append((index, element.warnings + found.warnings))
                events.append(self._named(found.event))
            else:
                verdicts[index] = Verdict(index, "rejected", _id_of(element), found)
                letter = _dead_letter(element, found, sender)
                dead.append(self._letters.sealed(letter, MAX_DEAD_LETTER))
        kept = [await self._as_allowed(event, sender) for event in events]
        # From here to the commit nothing waits, so no visitor can begin to be erased in between.
        refused = {n for n, event in enumerate(kept) if self._gate.refuses(event)}
        taken = [event for n, event in enumerate(kept) if n not in refused]
        answers = iter(await self._committer.submit(taken, dead))
        accepted: list[Event] = []
        for n, (event, (index, warnings)) in enumerate(zip(kept, places, strict=True)):
            if n in refused:
                verdicts[index] = Verdict(index, "rejected", event.event_id, ERASED)
            elif next(answers):
                accepted.append(event)
                verdicts[index] = Verdict(index, "accepted", event.event_id, (), warnings)
            else:
                verdicts[index] = Verdict(index, "duplicate", event.event_id, (), warnings)
        await self._fold(accepted)
        receipt = _receipt([verdict for verdict in verdicts if verdict is not None])
        self.verdicts["accepted"] += receipt.accepted
        self.verdicts["duplicate"] += receipt.duplicates
        self.verdicts["rejected"] += receipt.rejected
        return receipt

    async def _as_allowed(self, event: Event, sender: Sender) -> Event:
        """The event as far as its visitor allows it to be kept."""
        allowed = await self._gate.allowed(event.shop, event.visitor, sender.consent)
        if allowed.analytics or (event.shop, event.visitor) in self._gate.suppressed:
            return event
        return msgspec.structs.replace(event, visitor="", session=None, query=None, merged=None)

    def _named(self, event: Event) -> Event:
        """The event with products called as the catalogue calls them."""
        aliases = self._aliases(event.shop)
        if not aliases or not any(line.product in aliases for line in event.lines):
            return event
        lines = tuple(
            msgspec.structs.replace(line, product=alias.product)
            if (alias := aliases.get(line.product))
            else line
            for line in event.lines
        )
        return msgspec.structs.replace(event, lines=lines)

    def _checked(self, element: Element, sender: Sender) -> Valid | tuple[FieldProblem, ...]:
        if element.event is None:
            return element.problems
        return self._validator.check(element.event, sender)

    async def _fold(self, events: list[Event]) -> None:
        try:
            await self._visitors.fold(events)
        except Exception:
            # The events are in the log, so they count; the state is read from there again.
            LOG.exception("folding events into visitor state failed")
            for shop, visitor in {(event.shop, event.visitor) for event in events}:
                await self._visitors.forget(shop, visitor)


def _skew(sent_at: str | None, now: int) -> int:
    if sent_at is None:
        return 0
    try:
        return now - parse_time(sent_at)
    except ValueError as error:
        message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
        raise InvalidInput(
            "the batch cannot be read", [FieldProblem("/sent_at", "invalid", message)]
        ) from error


def _id_of(element: Element) -> str | None:
    return element.event.event_id if element.event else None


def _dead_letter(
    element: Element, problems: tuple[FieldProblem, ...], sender: Sender
) -> DeadLetter:
    raw = element.raw or _ENCODER.encode(element.event)
    first = problems[0]
    return DeadLetter(
        shop=sender.shop,
        source=sender.source,
        received_at=sender.received_at,
        code=first.code,
        reason=f"{first.pointer or '/'}: {first.message}"[:2_000],
        payload=raw,
    )


def _receipt(verdicts: list[Verdict]) -> Receipt:
    counts = {"accepted": 0, "duplicate": 0, "rejected": 0}
    for verdict in verdicts:
        counts[verdict.status] += 1
    return Receipt(counts["accepted"], counts["duplicate"], counts["rejected"], verdicts)
