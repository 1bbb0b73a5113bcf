"""Which foreign form an event has, and its rows or bodies as ours."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from endcap.core.errors import EndcapError, FieldProblem
from endcap.core.pointers import problem_of
from endcap.ingest.decode import Element, Strict
from endcap.ingest.formats.rows import Fields

from .fields import Mapper
from .ga4 import from_bigquery, from_measurement
from .retail import from_user_event
from .segment import from_batch, from_track
from .shopify import from_order

FORMS: dict[str, Mapper] = {
    "ga4": from_measurement,
    "ga4-bigquery": from_bigquery,
    "segment": from_track,
    "segment-batch": from_batch,
    "retail": from_user_event,
    "shopify-orders": from_order,
}
OWN = "endcap"
_DECODER = msgspec.json.Decoder(Strict)
_ENCODER = msgspec.json.Encoder()


def form_of(sample: Mapping[str, Any]) -> str:
    """The form of an object, by the fields that only that form has; `endcap` when it is ours."""
    keys = set(sample)
    if "event_name" in keys and "event_timestamp" in keys:
        return "ga4-bigquery"
    if "client_id" in keys and "events" in keys:
        return "ga4"
    if "batch" in keys:
        return "segment-batch"
    if "messageId" in keys or ("event" in keys and "properties" in keys):
        return "segment"
    if "eventType" in keys and "visitorId" in keys:
        return "retail"
    return "shopify-orders" if "line_items" in keys else OWN


def translated(rows: Iterable[Fields], form: str | None) -> Iterator[Fields]:
    """Rows in our form; `form` None tells each row's by its fields. What is no event is dropped."""
    for row in rows:
        name = form if form is not None or row.fields is None else form_of(row.fields)
        if row.fields is None or name in (None, OWN):
            yield row
            continue
        try:
            for fields in FORMS[name](row.fields):
                yield Fields(row.line, fields)
        except EndcapError as error:
            yield Fields(row.line, None, error.problems)


def elements_of(body: Any, mapper: Mapper, raw: bytes) -> list[Element]:
    """The events of a foreign body, each checked for its types."""
    if not isinstance(body, Mapping):
        problem = FieldProblem("", "wrong_type", "must be an object")
        return [Element(None, raw, (problem,))]
    try:
        return [element_of(fields) for fields in mapper(body)]
    except EndcapError as error:
        return [Element(None, raw, error.problems)]


def element_of(fields: dict[str, Any]) -> Element:
    """Our fields as an element of a batch."""
    content = _ENCODER.encode(fields)
    try:
        return Element(_DECODER.decode(content), content)
    except msgspec.ValidationError as error:
        return Element(None, content, (problem_of(error),))
