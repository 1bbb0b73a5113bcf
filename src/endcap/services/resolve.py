"""From a request to a query: checked, with ids turned into rows."""

from typing import NamedTuple

from endcap.catalog.arrays import NO_ITEMS, IntArray
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import VisitorState
from endcap.core.ids import id_problem
from endcap.core.product import Product
from endcap.core.request import MAX_COUNT, RecommendationRequest
from endcap.core.times import parse_time
from endcap.recommend.history import NO_HISTORY, SESSION_MINUTES, History, read_history
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.request_filters import request_filters
from endcap.recommend.sorting import RELEVANCE

from .choices import asked_plan, choice_problems, compiled
from .rule_source import TraitSource

MAX_SEEDS = 50
MAX_EXCLUDED = 1_000
# What the shop pays for a product is not for its visitors.
SHOWN_FIELDS = frozenset(Product.__struct_fields__) - {"cost"}


def check(request: RecommendationRequest, pointer: str) -> None:
    """Raise InvalidInput with every problem of the request."""
    problems: list[FieldProblem] = []
    for field in ("visitor", "session", "zone", "device", "category"):
        value = getattr(request, field)
        if value is not None and (problem := id_problem(value, f"{pointer}/{field}")):
            problems.append(problem)
    limits = (("seed", MAX_SEEDS), ("cart", MAX_EXCLUDED), ("exclude", MAX_EXCLUDED))
    for field, limit in limits:
        values = getattr(request, field) or []
        if len(values) > limit:
            problems.append(
                FieldProblem(
                    f"{pointer}/{field}", "too_many", f"has {len(values)}, at most {limit}"
                )
            )
            continue
        for place, value in enumerate(values):
            if problem := id_problem(value, f"{pointer}/{field}/{place}"):
                problems.append(problem)
    problems += _unknown_fields(request, pointer)
    problems += choice_problems(request, pointer)
    if request.as_of is not None and _moment(request.as_of) is None:
        message = "must be ISO 8601, like 2026-12-24T18:00:00Z"
        problems.append(FieldProblem(f"{pointer}/as_of", "invalid", message))
    if request.count is not None and not 1 <= request.count <= MAX_COUNT:
        problems.append(
            FieldProblem(f"{pointer}/count", "out_of_range", f"must be 1 to {MAX_COUNT}")
        )
    if problems:
        raise InvalidInput("the request cannot be answered", problems)


def _unknown_fields(request: RecommendationRequest, pointer: str) -> list[FieldProblem]:
    known = ", ".join(sorted(SHOWN_FIELDS))
    return [
        FieldProblem(
            f"{pointer}/fields/{place}",
            "unknown_field",
            f"no field `{name[:64]}`; there is {known}",
        )
        for place, name in enumerate(request.fields or ())
        if name not in SHOWN_FIELDS
    ][:10]


def asked_time(request: RecommendationRequest, now: int) -> int:
    """The time a request looks at, UTC milliseconds: its own, or now."""
    moment = _moment(request.as_of) if request.as_of is not None else None
    return now if moment is None else moment


def _moment(text: str) -> int | None:
    try:
        return parse_time(text)
    except ValueError:
        return None


class Asked(NamedTuple):
    """A request with all that its query is made from.

    `visitor` and `session` are pseudonyms, empty when the visitor does not want to be known;
    `known` is None when nothing of the visitor may be read, or there is none. With `kept` false
    the slate is logged under nobody.
    """

    request: RecommendationRequest
    plan: Plan
    state: State
    now: int
    visitor: str = ""
    session: str | None = None
    known: VisitorState | None = None
    taken: IntArray = NO_ITEMS
    session_minutes: int = SESSION_MINUTES
    kept: bool = True


def resolved(asked: Asked, traits: TraitSource | None = None) -> tuple[Plan, Query]:
    """The plan as the request wants it, and the query; `traits` tell who the visitor is."""
    request, state = asked.request, asked.state
    history = NO_HISTORY
    if asked.known is not None:
        history = read_history(asked.known, state, asked.now, asked.session, asked.session_minutes)
    query = _query(asked, history)
    plan = asked_plan(asked.plan, request, query)
    if traits is not None and plan.personal:
        who, shop = asked.visitor or None, state.columns.shop
        query.traits = traits.traits(shop, who, asked.known, state, asked.now)
    if asked.known is not None:
        query.corrections = state.merchant.corrections_of(asked.visitor)
    return plan, query


def _query(asked: Asked, history: History) -> Query:
    """Ids as rows. Ids the catalogue does not know are left out."""
    request, columns = asked.request, asked.state.columns
    given = request.cart
    return Query(
        now=asked.now,
        count=request.count or asked.plan.slots,
        seeds=columns.rows(dict.fromkeys(request.seed)),
        cart=history.cart if given is None else columns.rows(dict.fromkeys(given)),
        viewed=history.viewed,
        bought=history.bought,
        owned=history.owned,
        session=history.session,
        trail=history.trail,
        shown=history.shown,
        excluded=columns.rows(request.exclude),
        taken=asked.taken,
        visitor=asked.visitor,
        category=request.category,
        search=request.search,
        placement=request.placement,
        sort=None if request.sort == RELEVANCE else request.sort,
        filters=request_filters(request, compiled(request.filter)),
        zone=request.zone,
        device=request.device,
    )
