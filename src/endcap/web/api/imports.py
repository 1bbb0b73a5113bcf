"""POST /v1/products:import."""

import io

from starlette.responses import Response

from endcap.core.errors import BodyTooLarge, InvalidInput, MalformedBody, StoreUnavailable
from endcap.core.receipt import ImportReport
from endcap.ingest.formats.detect import FORMATS, format_of_type
from endcap.ingest.formats.products import read_products
from endcap.web.call import Call, answer, flag
from endcap.web.operations import Operation, Parameter
from endcap.web.problems import UnsupportedMediaType


async def import_products(call: Call) -> Response:
    """Take a file of products."""
    query = call.query()
    given = query.get("format", [""])[-1]
    name = given or format_of_type(call.request.headers.get("content-type", ""))
    if name not in FORMATS:
        raise UnsupportedMediaType(f"formats are {', '.join(FORMATS)}; name one in `format`")
    body = await call.body(call.services.max_import_body)
    rows = read_products(io.BytesIO(body), name, call.services.max_import_body)
    dry_run = flag(query, "dry_run")
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
        errors=(MalformedBody, InvalidInput, BodyTooLarge, UnsupportedMediaType, StoreUnavailable),
    ),
)
