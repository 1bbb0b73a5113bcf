"""What a request may choose from: prices, ratings, attributes, orders and expressions, checked."""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import msgspec
import numpy as np

from endcap.catalog.columns import Columns
from endcap.catalog.fields import CatalogFields
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.ids import id_problem
from endcap.core.money import MAX_MINOR
from endcap.core.request import RecommendationRequest
from endcap.recommend.filters.available import Available
from endcap.recommend.plan import Plan, Strategy
from endcap.recommend.query import Query
from endcap.recommend.retrievers.everything import Everything
from endcap.recommend.sorting import SORTS
from endcap.recommend.stages import NamedFilter
from endcap.rules.errors import ExpressionError, did_you_mean
from endcap.rules.expression import Expression, compile_expression
from endcap.rules.fields import REQUEST_FILTER

MAX_CHOICES = 50
MAX_ATTRIBUTES = 20
LAST_RUNG = Strategy("everything", Everything(), 1.0)


@lru_cache(2_000)
def _compiled(text: str) -> Expression:
    return compile_expression(text, REQUEST_FILTER)


def compiled(text: str | None) -> Expression | None:
    """The request's expression; the same text is compiled once. Raises ExpressionError."""
    return None if text is None else _compiled(text)


def choice_problems(request: RecommendationRequest, pointer: str) -> Iterator[FieldProblem]:
    """Everything wrong with the request's filters and its order."""
    yield from _prices(request, pointer)
    least = request.rating_min
    if least is not None and not 0 <= least <= 5:
        yield FieldProblem(f"{pointer}/rating_min", "out_of_range", "must be 0 to 5")
    if request.sort is not None and request.sort not in SORTS:
        hint = did_you_mean(request.sort, SORTS)
        known = ", ".join(SORTS)
        yield FieldProblem(f"{pointer}/sort", "not_allowed", f"must be one of {known}; {hint}")
    yield from _values("brand", list(request.brand), pointer)
    yield from _attributes(request, pointer)
    if request.search is not None and (len(request.search) > 500):
        yield FieldProblem(f"{pointer}/search", "too_long", "has more than 500 characters")
    if request.filter is not None:
        try:
            _compiled(request.filter)
        except ExpressionError as error:
            yield error.problem(f"{pointer}/filter")


def check_filter(request: RecommendationRequest, columns: Columns) -> None:
    """Raise InvalidInput for an expression that is too dear on this catalogue."""
    if request.filter is None:
        return
    try:
        _compiled(request.filter).check_values(CatalogFields(columns, 0))
    except ExpressionError as error:
        raise InvalidInput("the request cannot be answered", [error.problem("/filter")]) from error


def asked_plan(plan: Plan, request: RecommendationRequest, query: Query) -> Plan:
    """The plan as the request wants it: with what is out of stock, or filled whatever it takes."""
    if request.in_stock is False:
        filters = tuple(
            NamedFilter(name, Available(stock=False)) if isinstance(one, Available) else
            NamedFilter(name, one)
            for name, one in plan.filters
        )  # fmt: skip
        plan = msgspec.structs.replace(plan, filters=filters)
    narrow = query.filters or query.category is not None
    if narrow and all(rung.name != LAST_RUNG.name for rung in plan.fallback):
        plan = msgspec.structs.replace(plan, fallback=(*plan.fallback, LAST_RUNG))
    return plan


def _prices(request: RecommendationRequest, pointer: str) -> Iterator[FieldProblem]:
    limits: list[Decimal] = []
    for name in ("price_min", "price_max"):
        price: Decimal | None = getattr(request, name)
        if price is None:
            continue
        if not price.is_finite() or not 0 <= price < MAX_MINOR:
            yield FieldProblem(f"{pointer}/{name}", "out_of_range", "must be a price of 0 or more")
        else:
            limits.append(price)
    if len(limits) == 2 and limits[0] > limits[1]:
        message = f"is above price_max ({limits[1]})"
        yield FieldProblem(f"{pointer}/price_min", "out_of_range", message)


def _attributes(request: RecommendationRequest, pointer: str) -> Iterator[FieldProblem]:
    if len(request.attributes) > MAX_ATTRIBUTES:
        message = f"has {len(request.attributes)}, at most {MAX_ATTRIBUTES}"
        yield FieldProblem(f"{pointer}/attributes", "too_many", message)
        return
    for name, value in request.attributes.items():
        values = value if isinstance(value, list) else [value]
        if problem := id_problem(name, f"{pointer}/attributes"):
            yield problem
            continue
        if not values:
            yield FieldProblem(f"{pointer}/attributes/{name}", "empty", "needs a value")
        yield from _values(f"attributes/{name}", values, pointer)


def _values(field: str, values: list[str | float | bool], pointer: str) -> Iterator[FieldProblem]:
    if len(values) > MAX_CHOICES:
        message = f"has {len(values)}, at most {MAX_CHOICES}"
        yield FieldProblem(f"{pointer}/{field}", "too_many", message)
        return
    for place, value in enumerate(values):
        if isinstance(value, str) and (problem := id_problem(value, f"{pointer}/{field}/{place}")):
            yield problem
        elif isinstance(value, float) and not np.isfinite(value):
            message = "must be a finite number"
            yield FieldProblem(f"{pointer}/{field}/{place}", "out_of_range", message)
