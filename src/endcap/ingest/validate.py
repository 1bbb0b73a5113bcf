"""From an event as sent to the event as stored, or all that is wrong with it."""

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from endcap.core.consent import UNKNOWN, Consent
from endcap.core.errors import FieldProblem
from endcap.core.event import MAX_LINES, Event, EventIn, Line, LineIn, Traffic
from endcap.core.ids import id_problem
from endcap.core.money import is_currency, to_minor
from endcap.core.times import DAY, MINUTE, parse_time

from .pseudonyms import Pseudonyms

ONE_PRODUCT = frozenset(
    {"view", "cart_add", "cart_remove", "wishlist_add", "click", "dismiss", "rate"}
)
SOME_PRODUCTS = frozenset({"purchase", "refund", "impression"})
MAX_QUANTITY = 1_000_000
MAX_QUERY = 500
OLDEST = 946_684_800_000  # 2000-01-01: older than any shop's log, so a broken clock
_ENCODER = msgspec.json.Encoder(order="deterministic")


class Sender(NamedTuple):
    """What is known of who sent a batch, and when. Times are UTC milliseconds.

    `skew` is added to the sender's times: our clock less theirs, 0 when they did not say.
    `traffic` says that the sender is no customer, `consent` what the request allows.
    """

    shop: str
    source: str
    received_at: int
    currency: str
    skew: int = 0
    traffic: Traffic | None = None
    consent: Consent = UNKNOWN


class Valid(NamedTuple):
    """A valid event with what the sender should know of it."""

    event: Event
    warnings: tuple[str, ...]


class Validator:
    """Checks events and gives them pseudonyms; `new_id` names events sent without an id."""

    def __init__(self, pseudonyms: Pseudonyms, new_id: Callable[[], str]) -> None:
        self._pseudonyms = pseudonyms
        self._new_id = new_id

    def check(self, given: EventIn, sender: Sender) -> Valid | tuple[FieldProblem, ...]:
        """The event as the log keeps it, or every problem found."""
        problems: list[FieldProblem] = []
        _check_ids(given, problems)
        _check_texts(given, problems)
        currency = given.currency or sender.currency
        if given.currency is not None and not is_currency(given.currency):
            problems.append(FieldProblem("/currency", "invalid", "must be ISO 4217, like EUR"))
            currency = sender.currency
        lines = _lines(given, currency, problems)
        if given.total is not None:
            _price(given.total, "/total", currency, problems)
        moment, warning = _moment(given, sender, problems)
        if problems:
            return tuple(problems)
        warnings = (warning,) if warning else ()
        event_id = given.event_id
        if event_id is None:
            event_id, note = self._named(given)
            warnings = (*warnings, note)
        return Valid(
            self._stored(given, sender, event_id, lines, (moment, bool(warning))), warnings
        )

    def _stored(
        self,
        given: EventIn,
        sender: Sender,
        event_id: str,
        lines: tuple[Line, ...],
        moment: tuple[int, bool],
    ) -> Event:
        context = given.context
        priced = given.total is not None or any(line.price is not None for line in lines)
        currency = given.currency or sender.currency
        return Event(
            shop=sender.shop,
            source=sender.source,
            event_id=event_id,
            type=given.type,
            visitor=self._pseudonyms.visitor(sender.shop, given.visitor),
            session=given.session and self._pseudonyms.session(sender.shop, given.session),
            occurred_at=moment[0],
            received_at=sender.received_at,
            lines=lines,
            currency=currency if priced else None,
            query=given.query,
            rating=given.rating,
            order=given.order,
            token=given.token,
            zone=context.zone if context else None,
            device=context.device if context else None,
            placement=context.placement if context else None,
            clamped=moment[1],
            reported=to_minor(given.total, currency) if given.total is not None else None,
            traffic=(context.traffic if context else None) or sender.traffic,
        )

    def _named(self, given: EventIn) -> tuple[str, str]:
        if given.time is None:
            return self._new_id(), "no event_id and no time: sent again it would count again"
        digest = hashlib.sha256(_ENCODER.encode(given)).hexdigest()[:32]
        return f"sha256:{digest}", "no event_id: made from the event's content"


def _check_ids(given: EventIn, problems: list[FieldProblem]) -> None:
    context = given.context
    for pointer, value in (
        ("/visitor", given.visitor),
        ("/event_id", given.event_id),
        ("/session", given.session),
        ("/product", given.product),
        ("/order", given.order),
        ("/token", given.token),
        ("/context/zone", context.zone if context else None),
        ("/context/device", context.device if context else None),
        ("/context/placement", context.placement if context else None),
    ):
        if value is not None and (problem := id_problem(value, pointer)):
            problems.append(problem)


def _check_texts(given: EventIn, problems: list[FieldProblem]) -> None:
    query = given.query
    if given.type == "search" and query is None:
        problems.append(FieldProblem("/query", "missing", "a search needs its query"))
    if query is not None and (len(query) > MAX_QUERY or not query.isprintable()):
        problems.append(
            FieldProblem("/query", "invalid", f"must be up to {MAX_QUERY} printable characters")
        )
    if given.type == "rate" and given.rating is None:
        problems.append(FieldProblem("/rating", "missing", "a rate event needs its rating"))
    if given.rating is not None and not 0 <= given.rating <= 5:
        problems.append(FieldProblem("/rating", "out_of_range", "must be 0 to 5"))


def _lines(given: EventIn, currency: str, problems: list[FieldProblem]) -> tuple[Line, ...]:
    if given.product is not None:
        if given.products:
            problems.append(
                FieldProblem("/products", "ambiguous", "send either product or products")
            )
        one = LineIn(id=given.product, quantity=given.quantity, price=given.price)
        return (_line(one, "", currency, problems),)
    count = len(given.products)
    if given.type in ONE_PRODUCT and count != 1:
        problems.append(FieldProblem("/product", "missing", f"a {given.type} needs one product"))
    elif given.type in SOME_PRODUCTS and not count:
        problems.append(FieldProblem("/products", "missing", f"a {given.type} needs products"))
    elif count > MAX_LINES:
        problems.append(FieldProblem("/products", "too_many", f"has {count}, at most {MAX_LINES}"))
        return ()
    return tuple(
        _line(line, f"/products/{place}", currency, problems)
        for place, line in enumerate(given.products)
    )


def _line(line: LineIn, pointer: str, currency: str, problems: list[FieldProblem]) -> Line:
    if pointer and (problem := id_problem(line.id, f"{pointer}/id")):
        problems.append(problem)
    if not 1 <= line.quantity <= MAX_QUANTITY:
        problems.append(
            FieldProblem(f"{pointer}/quantity", "out_of_range", f"must be 1 to {MAX_QUANTITY:,}")
        )
    price = None
    if line.price is not None:
        price = _price(line.price, f"{pointer}/price", currency, problems)
    return Line(line.id, line.quantity, price)


def _price(
    amount: Decimal, pointer: str, currency: str, problems: list[FieldProblem]
) -> int | None:
    try:
        minor = to_minor(amount, currency)
    except ValueError as error:
        problems.append(FieldProblem(pointer, "invalid", str(error)))
        return None
    if minor < 0:
        problems.append(FieldProblem(pointer, "out_of_range", "must not be negative"))
    return minor


def _moment(given: EventIn, sender: Sender, problems: list[FieldProblem]) -> tuple[int, str | None]:
    """When it happened by our clock, and a warning when that had to be corrected."""
    now = sender.received_at
    if given.time is None:
        return now, None
    try:
        moment = parse_time(given.time) + sender.skew
    except ValueError:
        message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
        problems.append(FieldProblem("/time", "invalid", message))
        return now, None
    if moment < OLDEST:
        problems.append(FieldProblem("/time", "time_too_old", "is before the year 2000"))
    elif moment > now + DAY:
        problems.append(FieldProblem("/time", "time_in_future", "is more than a day ahead of now"))
    elif moment > now + 5 * MINUTE:
        return now, "time is ahead of the server's clock: set to the time of arrival"
    return moment, None
