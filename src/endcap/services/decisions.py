"""What a shop decides by hand (lists, offers, badges), and shoppers' corrections: kept as versions.

Each kind of decision is one row of `KINDS`: its shape, its checks, and how it becomes live.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.ids import id_problem
from endcap.core.merchant import (
    Alias,
    BadgeSettings,
    Corrections,
    CuratedList,
    Discount,
    Offer,
    SavedReport,
)
from endcap.core.money import is_currency
from endcap.core.placement import ControlRecord
from endcap.core.pointers import escaped, refusal
from endcap.core.ports import Control
from endcap.core.report import DIMENSIONS
from endcap.core.status import DecisionView
from endcap.core.times import Clock
from endcap.recommend.merchant import ActiveOffer, Merchant
from endcap.recommend.schedules import holds_at, schedule_problems

PROFILE = "profile"
"""What one visitor said, which changes no other's answers."""
MAX_PRODUCTS = 1_000
MAX_FACETS = 200
MAX_FACET = 300
Problems = list[FieldProblem]


class DecisionKind(NamedTuple):
    """A kind of decision; `apply` makes a value live, or takes it out with None."""

    shape: type[Any]
    check: Callable[[Any], Problems]
    apply: Callable[[Merchant, str, Any, int], None]


class DecisionService:
    """Reads and writes decisions; what is written is live when the call returns."""

    def __init__(
        self, control: Control, merchant_of: Callable[[str], Merchant], clock: Clock
    ) -> None:
        self._control = control
        self._merchant_of = merchant_of
        self._clock = clock
        self._turn = asyncio.Lock()
        self._names: dict[tuple[str, str], set[str]] = {}

    async def load(self, shop: str) -> None:
        """Read every decision of the shop into memory; what another process deleted goes out."""
        merchant = self._merchant_of(shop)
        async with self._turn:
            for kind in KINDS:
                records = await asyncio.to_thread(self._control.latest, shop, kind)
                names = {record.name for record in records}
                for gone in self._names.get((shop, kind), set()) - names:
                    _apply(merchant, kind, gone, None, 0)
                for record in records:
                    value = _value(kind, record.body or b"")
                    _apply(merchant, kind, record.name, value, record.version)
                self._names[shop, kind] = names

    async def list(self, shop: str, kind: str) -> Sequence[DecisionView]:
        """The live version of every decision of a kind, by name."""
        return [_view(r) for r in await asyncio.to_thread(self._control.latest, shop, kind)]

    def badges(self, shop: str) -> BadgeSettings:
        """The badge settings in use."""
        return self._merchant_of(shop).badges

    async def get(self, shop: str, kind: str, name: str, version: int | None) -> DecisionView:
        """One version, or the latest. Raises NotFound."""
        record = await asyncio.to_thread(self._control.get, shop, kind, name, version)
        if record is None or (record.body is None and version is None):
            raise NotFound(f"no {kind} `{name[:200]}`" + (f" of version {version}" * bool(version)))
        return _view(record)

    async def history(self, shop: str, kind: str, name: str) -> Sequence[DecisionView]:
        """Every version, newest first. Raises NotFound."""
        records = await asyncio.to_thread(self._control.history, shop, kind, name)
        if not records:
            raise NotFound(f"no {kind} `{name[:200]}`")
        return [_view(record) for record in records]

    async def put(
        self, shop: str, record: ControlRecord, expected: int | None = None
    ) -> DecisionView:
        """Check and store a new version; only kind, name, body, author and note are read.

        Raises MalformedBody, InvalidInput with every problem, or VersionConflict.
        """
        kind, name, body = record.kind, record.name, record.body or b""
        _check_name(name)
        value = _value(kind, body)
        if problems := KINDS[kind].check(value):
            raise InvalidInput(f"the {kind} cannot be stored", problems)
        async with self._turn:
            stored = await self._append(shop, record, msgspec.json.encode(value), expected)
            _apply(self._merchant_of(shop), kind, name, value, stored.version)
            self._names.setdefault((shop, kind), set()).add(name)
        return _view(stored)

    async def delete(self, shop: str, record: ControlRecord) -> None:
        """Take a decision out of use; its versions stay. Raises NotFound."""
        await self.get(shop, record.kind, record.name, None)
        async with self._turn:
            await self._append(shop, record, None, None)
            _apply(self._merchant_of(shop), record.kind, record.name, None, 0)

    async def _append(
        self, shop: str, record: ControlRecord, body: bytes | None, expected: int | None
    ) -> ControlRecord:
        made = msgspec.structs.replace(record, body=body, version=0, created_at=self._clock())
        return await asyncio.to_thread(self._control.put, shop, made, expected)


def decision(
    kind: str, name: str, body: bytes = b"", author: str = "api", note: str = ""
) -> ControlRecord:
    """What `put` and `delete` take."""
    return ControlRecord(
        kind=kind, name=name, version=0, body=body, author=author, note=note, created_at=0
    )


def _apply(merchant: Merchant, kind: str, name: str, value: Any, version: int) -> None:
    KINDS[kind].apply(merchant, name, value, version)
    if kind not in (PROFILE, "report"):
        merchant.changed(kind, name, version)


def _value(kind: str, body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, type=KINDS[kind].shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, body, f"the {kind} cannot be read") from error


def _check_name(name: str) -> None:
    problem = id_problem(name, "/name")
    if problem is None and "/" in name:
        problem = FieldProblem("/name", "invalid", "must not have a `/`")
    if problem is not None:
        raise InvalidInput("the name cannot be used", [problem])


def _view(record: ControlRecord) -> DecisionView:
    value = None if record.body is None else msgspec.json.decode(record.body)
    return DecisionView(
        record.name, record.version, value, record.author, record.note, record.created_at
    )


def _check_list(chosen: CuratedList) -> Problems:
    problems = _check_title(chosen.title)
    if len(chosen.products) > MAX_PRODUCTS:
        message = f"has {len(chosen.products)}, at most {MAX_PRODUCTS}"
        return [*problems, FieldProblem("/products", "too_many", message)]
    found = (id_problem(one, f"/products/{at}") for at, one in enumerate(chosen.products))
    return problems + [problem for problem in found if problem]


def _check_alias(alias: Alias) -> Problems:
    problem = id_problem(alias.product, "/product")
    return [problem] if problem else []


def _check_report(report: SavedReport) -> Problems:
    problems = _check_title(report.title)
    if report.group_by not in DIMENSIONS:
        text = f"is none of {', '.join(DIMENSIONS)}"
        problems.append(FieldProblem("/group_by", "not_allowed", text))
    if not 1 <= report.days <= 800:
        problems.append(FieldProblem("/days", "out_of_range", "must be 1 to 800"))
    return problems


def _nothing(merchant: Merchant, name: str, value: Any, version: int) -> None:
    """What is only read by people changes no answer."""


def _check_offer(offer: Offer) -> Problems:
    problems = _check_title(offer.title)
    for field in ("products", "segments", "zones", "placements"):
        values = getattr(offer, field)
        if len(values) > MAX_PRODUCTS:
            message = f"has {len(values)}, at most {MAX_PRODUCTS}"
            problems.append(FieldProblem(f"/{field}", "too_many", message))
            continue
        found = (id_problem(one, f"/{field}/{at}") for at, one in enumerate(values))
        problems += [problem for problem in found if problem]
    if not 0 <= offer.holdout < 1:
        problems.append(FieldProblem("/holdout", "out_of_range", "must be 0 or more, below 1"))
    for field in ("budget", "per_visitor"):
        value = getattr(offer, field)
        if value is not None and value < 1:
            problems.append(FieldProblem(f"/{field}", "out_of_range", "must be 1 or more"))
    if not 1 <= offer.per_days <= 366:
        problems.append(FieldProblem("/per_days", "out_of_range", "must be 1 to 366"))
    if offer.discount is not None:
        problems += _check_discount(offer.discount)
    if offer.schedule is not None:
        problems += schedule_problems(offer.schedule, "/schedule")
    return problems


def _check_discount(discount: Discount) -> Problems:
    percent, amount = discount.percent, discount.amount
    if (percent is None) == (amount is None):
        return [FieldProblem("/discount", "ambiguous", "give either percent or amount")]
    if percent is not None and not 0 < percent <= 100:
        return [FieldProblem("/discount/percent", "out_of_range", "must be above 0, up to 100")]
    if amount is not None and (not is_currency(discount.currency or "") or amount <= 0):
        message = "must be above 0 and have a currency like EUR"
        return [FieldProblem("/discount/amount", "invalid", message)]
    return []


def _check_badges(settings: BadgeSettings) -> Problems:
    return [
        FieldProblem(f"/{field}", "out_of_range", "must not be negative")
        for field in settings.__struct_fields__
        if isinstance(value := getattr(settings, field), int | float) and value < 0
    ] + [
        FieldProblem(f"/low_stock_by_category/{escaped(path)}", "out_of_range", "must be 0 or more")
        for path, left in settings.low_stock_by_category.items()
        if left < 0
    ]


def _check_corrections(given: Corrections) -> Problems:
    facets = [*given.muted, *given.weights]
    if len(facets) > MAX_FACETS:
        return [FieldProblem("", "too_many", f"has {len(facets)} facets, at most {MAX_FACETS}")]
    problems = [
        FieldProblem("/muted", "invalid", f"`{facet[:100]}` is no facet such as `brand:Acme`")
        for facet in facets
        if ":" not in facet or len(facet) > MAX_FACET or not facet.isprintable()
    ]
    return problems + [
        FieldProblem(f"/weights/{escaped(facet)}", "out_of_range", "must be -1 to 1")
        for facet, weight in given.weights.items()
        if not -1 <= weight <= 1
    ]


def _check_title(title: str) -> Problems:
    if len(title) > 200 or (title and not title.isprintable()):
        return [FieldProblem("/title", "invalid", "must be up to 200 printable characters")]
    return []


def _keep(field: str) -> Callable[[Merchant, str, Any, int], None]:
    def apply(merchant: Merchant, name: str, value: Any, version: int) -> None:
        kept = getattr(merchant, field)
        kept.pop(name, None)
        if value is not None:
            kept[name] = value

    return apply


def _set_badges(merchant: Merchant, name: str, value: Any, version: int) -> None:
    merchant.badges = value or BadgeSettings()


def _set_offer(merchant: Merchant, name: str, value: Any, version: int) -> None:
    merchant.offers.pop(name, None)
    if value is not None:
        holds = holds_at(value.schedule) if value.schedule is not None else None
        merchant.offers[name] = ActiveOffer(value, version, holds)


KINDS: dict[str, DecisionKind] = {
    "list": DecisionKind(CuratedList, _check_list, _keep("lists")),
    "alias": DecisionKind(Alias, _check_alias, _keep("aliases")),
    "report": DecisionKind(SavedReport, _check_report, _nothing),
    "badges": DecisionKind(BadgeSettings, _check_badges, _set_badges),
    "offer": DecisionKind(Offer, _check_offer, _set_offer),
    PROFILE: DecisionKind(Corrections, _check_corrections, _keep("corrections")),
}
