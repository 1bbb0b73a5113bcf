"""Products from files. A CSV's columns are our field names."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from endcap.core.errors import EndcapError, FieldProblem, InvalidInput
from endcap.core.product import Product
from endcap.ingest.foreign.products import form_of, merchant_rows
from endcap.ingest.foreign.schema_products import schema_rows
from endcap.ingest.foreign.shopify_products import shopify_rows
from endcap.ingest.products import converted

from .rows import Fields, number_of, read_rows

LISTS = frozenset({"categories", "tags"})
WHOLE = frozenset({"stock", "rating_count"})
LINKS = frozenset({"links.accessories", "links.upgrades", "links.bundle"})
ATTRIBUTE = "attributes."
FOREIGN = {"merchant": merchant_rows, "shopify": shopify_rows, "schema": schema_rows}


class ProductRow(NamedTuple):
    """A row of an import: the product, or what is wrong with the row."""

    line: int
    value: Product | None
    problems: tuple[FieldProblem, ...] = ()


def read_products(stream: BinaryIO, name: str, limit: int | None = None) -> Iterator[ProductRow]:
    """Products of a file in format `name` (ndjson, json, csv, tsv), row by row.

    Feeds of Google Merchant Center (XML, TSV), Shopify's CSV and schema.org's JSON-LD are told
    by the names of their fields. In our own CSV, `categories` and `tags` hold several values
    separated by `|`, a free attribute is a column `attributes.NAME` (several values separated
    by `|` too), and links are columns `links.accessories`, `links.upgrades` and `links.bundle`.
    Raises MalformedBody, InvalidInput or BodyTooLarge (more than `limit` bytes unpacked) when
    the file as a whole cannot be read.
    """
    rows = read_rows(stream, name, limit)
    first = next(rows, None)
    if first is None:
        return iter(())
    rows = chain((first,), rows)
    # Only Merchant Center has XML; a first item may lack what a feed is told by.
    form = "merchant" if name == "xml" else form_of(first.fields or ())
    if form in FOREIGN:
        return products_of(FOREIGN[form](rows), flat=False)
    return products_of(rows, flat=name in ("csv", "tsv"))


def products_of(rows: Iterable[Fields], flat: bool) -> Iterator[ProductRow]:
    """Rows as products; `flat` rows have texts in columns, others have JSON fields."""
    build: Callable[[dict[str, Any]], dict[str, Any]] = _nested if flat else dict
    for row in rows:
        if row.fields is None:
            yield ProductRow(row.line, None, row.problems)
            continue
        try:
            yield ProductRow(row.line, converted(build(row.fields)))
        except EndcapError as error:
            problems = error.problems or (FieldProblem("", error.code, error.detail),)
            yield ProductRow(row.line, None, problems)


def _nested(row: dict[str, str]) -> dict[str, Any]:
    """The fields of a CSV row in the form of a product's JSON. Raises InvalidInput."""
    fields: dict[str, Any] = {}
    for column, text in row.items():
        if column in LISTS:
            fields[column] = _several(text)
        elif column.startswith(ATTRIBUTE):
            values = _several(text)
            attributes = fields.setdefault("attributes", {})
            attributes[column.removeprefix(ATTRIBUTE)] = values if len(values) > 1 else text
        elif column in LINKS:
            ids: list[Any] = _several(text)
            kind = column.removeprefix("links.")
            links = fields.setdefault("links", {})
            links[kind] = [{"id": one} for one in ids] if kind == "bundle" else ids
        elif column in WHOLE or column == "rating":
            fields[column] = _number(column, text)
        elif column in Product.__struct_fields__:
            fields[column] = text
        else:
            raise InvalidInput("", [_unknown(column)])
    return fields


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


def _number(column: str, text: str) -> int | float:
    value = number_of(text, whole=column in WHOLE)
    if value is None:
        problem = FieldProblem(f"/{column}", "wrong_type", f"must be a number, is `{text[:50]}`")
        raise InvalidInput("", [problem])
    return value


def _unknown(column: str) -> FieldProblem:
    known = [*Product.__struct_fields__, *sorted(LINKS)]
    near = difflib.get_close_matches(column, known, 1)
    hint = f"did you mean `{near[0]}`? " if near else ""
    message = f"no field `{column}`; {hint}Free fields are columns `attributes.NAME`."
    return FieldProblem(f"/{column}", "unknown_field", message)
