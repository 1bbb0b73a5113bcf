"""Products: one by one and in pages."""

from typing import Any

from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.core.product import Product
from endcap.core.receipt import ProductPage, ProductView
from endcap.web.call import Call, answer, expected_version, number
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/products/"
PATH = "/v1/products/{id:path}"
ID = Parameter("id", "Product id, percent-encoded; compared byte by byte.", place="path")
IF_MATCH = Parameter("If-Match", "Change only this version.", place="header")
CHANGE_ERRORS = (MalformedBody, InvalidInput, BodyTooLarge, VersionConflict, StoreUnavailable)


async def put_product(call: Call) -> Response:
    """Store a product whole."""
    body = await call.body(call.services.max_body)
    product, expected = call.tail(PREFIX), expected_version(call)
    return _tagged(await call.services.catalogue.put(call.shop, product, body, expected))


async def patch_product(call: Call) -> Response:
    """Change some fields of a product."""
    body = await call.body(call.services.max_body)
    product, expected = call.tail(PREFIX), expected_version(call)
    return _tagged(await call.services.catalogue.patch(call.shop, product, body, expected))


async def get_product(call: Call) -> Response:
    """One product."""
    call.query()
    return _tagged(await call.services.catalogue.get(call.shop, call.tail(PREFIX)))


async def delete_product(call: Call) -> Response:
    """Take a product out of the catalogue."""
    await call.services.catalogue.delete(call.shop, call.tail(PREFIX), expected_version(call))
    return Response(status_code=204)


async def list_products(call: Call) -> Response:
    """Products by id, a page at a time."""
    query = call.query()
    limit = number(query, "limit", 100)
    cursor = query.get("cursor", [None])[-1]
    return answer(await call.services.catalogue.page(call.shop, cursor, limit or 0))


def _tagged(view: ProductView) -> Response:
    response = answer(view)
    response.headers["etag"] = f'"{view.version}"'
    return response


def _one(**fields: Any) -> Operation:
    return Operation(path=PATH, tag="Catalogue", **fields)


OPERATIONS = (
    Operation(
        id="list_products",
        method="GET",
        path="/v1/products",
        handler=list_products,
        scope="catalogue:read",
        tag="Catalogue",
        about="Products by id. `next_cursor` of one page asks for the next.",
        parameters=(
            Parameter(
                "limit",
                "Products per page.",
                {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
            ),
            Parameter("cursor", "Where the page before ended."),
        ),
        answer=ProductPage,
        errors=(InvalidInput,),
    ),
    _one(
        id="get_product",
        method="GET",
        handler=get_product,
        scope="catalogue:read",
        about="One product with its version.",
        parameters=(ID,),
        answer=ProductView,
        errors=(InvalidInput, NotFound),
    ),
    _one(
        id="put_product",
        method="PUT",
        handler=put_product,
        scope="catalogue:write",
        about="Store a product whole. The change is in the next answer.",
        parameters=(ID, IF_MATCH),
        body=Product,
        body_example={
            "title": "White hanging heart T-light holder",
            "categories": ["Home > Lighting"],
            "price": "2.95",
            "currency": "GBP",
            "stock": 12,
        },
        answer=ProductView,
        errors=CHANGE_ERRORS,
    ),
    _one(
        id="patch_product",
        method="PATCH",
        handler=patch_product,
        scope="catalogue:write",
        about="Change some fields (JSON merge patch, RFC 7396): null removes a field. The change "
        "is in the next answer.",
        parameters=(ID, IF_MATCH),
        body={
            "application/json": {"type": "object"},
            "application/merge-patch+json": {"type": "object"},
        },
        body_example={"stock": 3, "price": "2.55"},
        answer=ProductView,
        errors=(*CHANGE_ERRORS, NotFound),
    ),
    _one(
        id="delete_product",
        method="DELETE",
        handler=delete_product,
        scope="catalogue:write",
        about="Take a product out. It is in no answer from now on.",
        parameters=(ID, IF_MATCH),
        status=204,
        errors=(InvalidInput, NotFound, VersionConflict, StoreUnavailable),
    ),
)
