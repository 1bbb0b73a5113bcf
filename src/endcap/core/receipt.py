"""What the API answers to events and to catalogue changes."""

from typing import Literal

import msgspec

from .errors import FieldProblem


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one event of a batch; `index` is its place in the batch, from 0."""

    index: int
    status: Literal["accepted", "duplicate", "rejected"]
    event_id: str | None = None
    errors: tuple[FieldProblem, ...] = ()
    warnings: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True):
    """The verdicts of a batch; accepted + duplicates + rejected is what was sent."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[Verdict]


class ProductView(msgspec.Struct, frozen=True):
    """One product with its version; `updated_at` is UTC milliseconds."""

    product: msgspec.Raw
    version: int
    updated_at: int


class ProductPage(msgspec.Struct, frozen=True):
    """A page of products; `next_cursor` asks for the next one."""

    data: list[ProductView]
    next_cursor: str | None
    has_more: bool


class RowError(msgspec.Struct, frozen=True):
    """A row of an import that was not taken."""

    line: int
    errors: tuple[FieldProblem, ...]


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """How an import went: rows read, written, already there, refused; the first refusals.

    For events also how many products they name, how many of those the catalogue has, and the ones
    it lacks that are named most.
    """

    read: int = 0
    written: int = 0
    duplicates: int = 0
    rejected: int = 0
    errors: list[RowError] = []
    products_named: int = 0
    products_known: int = 0
    unknown_products: dict[str, int] = {}
