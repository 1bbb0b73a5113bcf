"""Recommendations: one slate, or a page of them."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec
from starlette.responses import Response

from endcap.core.answer import Slate
from endcap.core.errors import (
    BodyTooLarge,
    FieldProblem,
    InvalidInput,
    MalformedBody,
    UnknownPlacement,
)
from endcap.core.request import MAX_COUNT, PageRequest, RecommendationRequest
from endcap.recommend.sorting import SORTS
from endcap.web.auth.browsers import check_request
from endcap.web.call import JSON, Call, answer, decode, flag, number
from endcap.web.consent import CONSENT, honour, merged, said
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/recommendations/"
PATH = "/v1/recommendations/{placement}"
NO_STORE = {"cache-control": "private, no-store"}
_PRIVATE = (b"cache-control", NO_STORE["cache-control"].encode())
_IS_JSON = (b"content-type", JSON.encode())
_PART = re.compile(r"(?:[^,]|,,)+")
RATING = {"type": "number", "minimum": 0, "maximum": 5}
Query = dict[str, list[str]]
MANY = {"type": "array", "items": {"type": "string"}}
NAME = Parameter("placement", "Name of the placement, e.g. `product`.", place="path")


class SlateRequest(RecommendationRequest, kw_only=True, forbid_unknown_fields=True):
    """A request whose placement stands in the address."""

    placement: str = ""


class SlateAnswer(Response):
    """A slate as JSON; its headers are always the same but for the length."""

    media_type = JSON

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Starlette's, without putting each header together anew."""
        length = (b"content-length", b"%d" % len(self.body))
        self.raw_headers = [_PRIVATE, length, _IS_JSON]


class Page(msgspec.Struct, frozen=True):
    """Slates in the order they were asked for."""

    slates: list[Slate]


async def get_recommendations(call: Call) -> Response:
    """One slate, asked for by query parameters."""
    query = call.query()
    request = RecommendationRequest(placement=call.tail(PREFIX))
    for name, values in query.items():
        if name in _TEXTS:
            setattr(request, name, values[-1])
        elif name in _LISTS:
            setattr(request, name, _ids(values))
        elif name in _OTHERS:
            setattr(request, name, _OTHERS[name](query, name))
        elif name.startswith("attr."):
            request.attributes[name.removeprefix("attr.")] = [*values]
    request.consent = said(call)
    check_request(call, [request.visitor], request.explain or request.as_of is not None)
    await honour(call, [request.visitor])
    content = await call.services.recommender.recommend_json(call.shop, request)
    return SlateAnswer(content)


async def post_recommendations(call: Call) -> Response:
    """One slate, asked for by a JSON body."""
    body = await call.body(call.services.max_body)
    request = decode(body or b"{}", SlateRequest)
    request.placement = call.tail(PREFIX)
    request.consent = merged(request.consent, said(call))
    check_request(call, [request.visitor], request.explain or request.as_of is not None)
    await honour(call, [request.visitor])
    content = await call.services.recommender.recommend_json(call.shop, request)
    return SlateAnswer(content)


async def post_page(call: Call) -> Response:
    """Several slates in one call."""
    page = await call.decoded(PageRequest, call.services.max_body)
    for request in page.requests:
        request.consent = merged(request.consent, said(call))
    explained = any(one.explain or one.as_of is not None for one in page.requests)
    check_request(call, [request.visitor for request in page.requests], explained)
    await honour(call, [request.visitor for request in page.requests])
    response = answer(Page(await call.services.recommender.page(call.shop, page)))
    response.headers.update(NO_STORE)
    return response


def _switch(query: Query, name: str) -> Literal["on", "off"]:
    value = query[name][-1]
    if value not in ("on", "off"):
        problem = FieldProblem(f"/query/{name}", "not_allowed", "must be on or off")
        raise InvalidInput("the parameters cannot be taken", [problem])
    return "off" if value == "off" else "on"


def _ids(values: list[str]) -> list[str]:
    """Values of a parameter that may be repeated, or hold several separated by commas.

    An id that has a comma itself is given with the comma doubled.
    """
    if len(values) == 1 and values[0] and "," not in values[0]:
        return [*values]
    return [part.replace(",,", ",") for value in values for part in _PART.findall(value)]


def _count(query: Query, name: str) -> int | None:
    return number(query, name, None)


def _decimal(query: Query, name: str) -> Decimal:
    """A price among the parameters. Raises InvalidInput naming it."""
    try:
        return Decimal(query[name][-1])
    except InvalidOperation as error:
        problem = FieldProblem(f"/query/{name}", "wrong_type", "must be a price, like 12.95")
        raise InvalidInput("the parameters cannot be taken", [problem]) from error


def _float(query: Query, name: str) -> float:
    """A number among the parameters. Raises InvalidInput naming it."""
    return float(_decimal(query, name))


_TEXTS = frozenset(
    {"visitor", "session", "category", "zone", "device", "as_of", "sort", "filter", "search"}
)
_LISTS = frozenset({"seed", "cart", "exclude", "fields", "brand"})
_OTHERS: dict[str, Callable[[Query, str], object]] = {
    "count": _count,
    "explain": flag,
    "in_stock": flag,
    "price_min": _decimal,
    "price_max": _decimal,
    "rating_min": _float,
    "personalization": _switch,
}
_PARAMETERS = (
    NAME,
    Parameter("visitor", "Visitor id; without one nothing personal is read."),
    Parameter("session", "Session id."),
    Parameter("seed", "Products it is about; repeat, or separate by commas.", MANY),
    Parameter("cart", "Products in the cart; left out, the cart known from events.", MANY),
    Parameter("exclude", "Products not to show.", MANY),
    Parameter(
        "count",
        "How many; else as many as the placement has slots.",
        {"type": "integer", "minimum": 1, "maximum": MAX_COUNT},
    ),
    Parameter("category", "Only products here or below, e.g. `Home > Kitchen`."),
    Parameter("zone", "Shipping zone."),
    Parameter("device", "Kind of device."),
    Parameter("fields", "Product fields to return; else a ready set.", MANY),
    Parameter("brand", "Only these brands; repeat, or separate by commas.", MANY),
    Parameter("price_min", "Lowest price, like `12.95`.", {"type": "string", "format": "decimal"}),
    Parameter("price_max", "Highest price.", {"type": "string", "format": "decimal"}),
    Parameter("rating_min", "Lowest average rating.", RATING),
    Parameter(
        "in_stock",
        "`true`: only what can be sent at once; `false`: what is out of stock, too.",
        {"type": "boolean"},
    ),
    Parameter("attr.*", "`attr.colour=red`: an attribute's value; repeat for any of several."),
    Parameter("sort", "Another order than relevance.", {"type": "string", "enum": list(SORTS)}),
    Parameter("filter", "An expression, like `product.price <= 1.3 * seed.price`."),
    Parameter("search", "What the visitor searched for."),
    Parameter(
        "personalization",
        "`off` answers as to a visitor never seen.",
        {"type": "string", "enum": ["on", "off"], "default": "on"},
    ),
    CONSENT,
    Parameter("explain", "Add the trace.", {"type": "boolean", "default": False}),
    Parameter(
        "as_of",
        "Look at another time: dates, seasons and schedules are those of then. Not logged.",
        {"type": "string", "format": "date-time"},
    ),
)
OPERATIONS = (
    Operation(
        id="get_recommendations",
        method="GET",
        path=PATH,
        handler=get_recommendations,
        scope="recommendations:read",
        browser=True,
        tag="Recommendations",
        about="What a placement shows. Every item says why it is there.",
        parameters=_PARAMETERS,
        answer=Slate,
        errors=(InvalidInput, UnknownPlacement),
    ),
    Operation(
        id="post_recommendations",
        method="POST",
        path=PATH,
        handler=post_recommendations,
        scope="recommendations:read",
        browser=True,
        tag="Recommendations",
        about="The same with a JSON body, for long carts.",
        parameters=(NAME, CONSENT),
        body=SlateRequest,
        body_example={"visitor": "v-42", "seed": ["85123A"], "count": 4},
        answer=Slate,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, UnknownPlacement),
    ),
    Operation(
        id="post_page",
        method="POST",
        path="/v1/recommendations",
        handler=post_page,
        scope="recommendations:read",
        browser=True,
        tag="Recommendations",
        about="Slates for all placements of a page, or for a batch of visitors, in the order "
        "given. With `distinct` a visitor sees each product once on the page.",
        parameters=(CONSENT,),
        body=PageRequest,
        body_example={
            "requests": [
                {"placement": "product", "visitor": "v-42", "seed": ["85123A"], "count": 4},
                {"placement": "popular", "visitor": "v-42", "count": 4},
            ]
        },
        answer=Page,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, UnknownPlacement),
    ),
)
