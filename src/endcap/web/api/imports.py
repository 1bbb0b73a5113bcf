"""POST /v1/products:import."""

import asyncio
import io

from starlette.responses import Response

from endcap.core.errors import (
    AddressRefused,
    BodyTooLarge,
    CallFailed,
    InvalidInput,
    MalformedBody,
    StoreUnavailable,
)
from endcap.core.receipt import ImportReport
from endcap.ingest.formats.detect import FORMATS, format_of_type
from endcap.ingest.formats.products import read_products
from endcap.web.call import Call, answer, flag, unpacked
from endcap.web.operations import Operation, Parameter
from endcap.web.problems import UnsupportedMediaType


async def import_products(call: Call) -> Response:
    """Take a file of products."""
    query = call.query()
    if "url" in query:
        return await _import_feed(call, query)
    given = query.get("format", [""])[-1]
    name = given or format_of_type(call.request.headers.get("content-type", ""))
    if name not in FORMATS:
        raise UnsupportedMediaType(f"formats are {', '.join(FORMATS)}; name one in `format`")
    return await _taken(call, name, await call.body(call.services.max_import_body))


async def _import_feed(call: Call, query: dict[str, list[str]]) -> Response:
    """Fetch the file from the shop's own server instead of taking it from the body."""
    if await call.body(65_536):
        raise InvalidInput("send either a body or a `url`")
    kind, body = await asyncio.to_thread(call.services.fetch, query["url"][-1])
    name = query.get("format", [""])[-1] or format_of_type(kind)
    if name not in FORMATS:
        raise UnsupportedMediaType(f"formats are {', '.join(FORMATS)}; name one in `format`")
    if body[:2] == b"\x1f\x8b":
        body = await asyncio.to_thread(unpacked, body, call.services.max_import_body)
    return await _taken(call, name, body)


async def _taken(call: Call, name: str, body: bytes) -> Response:
    rows = read_products(io.BytesIO(body), name, call.services.max_import_body)
    dry_run = flag(call.query(), "dry_run")
    return answer(await call.services.catalogue.import_rows(call.shop, rows, dry_run))


OPERATIONS = (
    Operation(
        id="import_products",
        method="POST",
        path="/v1/products:import",
        handler=import_products,
        scope="catalogue:write",
        tag="Catalogue",
        about="Import products as NDJSON, JSON array, CSV or TSV, or a feed as it is: Google "
        "Merchant Center (XML, TSV), Shopify CSV, schema.org JSON-LD. gzip welcome. Good rows are "
        "stored, the others are reported with line and field.",
        parameters=(
            Parameter(
                "format",
                "When the content type does not say it.",
                {"type": "string", "enum": list(FORMATS)},
            ),
            Parameter("dry_run", "Only check.", {"type": "boolean", "default": False}),
            Parameter(
                "url",
                "Fetch the file from there instead: https, a public host or one that the setting "
                "`private_hosts` names; redirects are not followed.",
            ),
        ),
        body={
            "application/x-ndjson": {"type": "string"},
            "application/json": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Product"},
            },
            "text/csv": {"type": "string"},
            "text/tab-separated-values": {"type": "string"},
            "application/xml": {"type": "string"},
        },
        answer=ImportReport,
        errors=(
            MalformedBody,
            InvalidInput,
            BodyTooLarge,
            UnsupportedMediaType,
            StoreUnavailable,
            AddressRefused,
            CallFailed,
        ),
    ),
)
