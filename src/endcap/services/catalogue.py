"""The catalogue: every change goes to the store first, then into the columns in memory."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from endcap.core.errors import EndcapError, FieldProblem, InvalidInput, NotFound, VersionConflict
from endcap.core.ids import id_problem
from endcap.core.ports import Catalogue
from endcap.core.product import Product, ProductDocument, ProductWrite
from endcap.core.receipt import ImportReport, ProductPage, ProductView, RowError
from endcap.core.times import Clock
from endcap.ingest.products import canonical, checked, converted, decode_product, merged

CHUNK = 1_000
MAX_PAGE = 1_000
SHOWN_ERRORS = 100
Changed = Callable[[str, list[ProductDocument]], Awaitable[None]]


class Row(Protocol):
    """A row of an import: the product, or what is wrong with it."""

    @property
    def line(self) -> int:
        """The line in the file."""

    @property
    def value(self) -> Product | None:
        """The product read."""

    @property
    def problems(self) -> tuple[FieldProblem, ...]:
        """What is wrong; empty when there is a value."""


class CatalogueService:
    """Changes and reads products. `changed` is awaited in the order of the store."""

    def __init__(self, store: Catalogue, changed: Changed, clock: Clock, currency: str) -> None:
        self._store = store
        self._changed = changed
        self._clock = clock
        self._currency = currency
        self._turn = asyncio.Lock()

    async def put(self, shop: str, product: str, body: bytes, expected: int | None) -> ProductView:
        """Store a product whole. Raises MalformedBody, InvalidInput or VersionConflict."""
        _check_id(product)
        given = decode_product(body, product, self._currency)
        return _view(await self._write(shop, ProductWrite(product, canonical(given), expected)))

    async def patch(
        self, shop: str, product: str, body: bytes, expected: int | None
    ) -> ProductView:
        """Change some fields (JSON merge patch). Raises as `put`, and NotFound."""
        for attempt in (1, 2, 3):
            document = await self._document(shop, product)
            fields = merged(document.body, body)
            given = checked(converted(fields), product, self._currency)
            write = ProductWrite(product, canonical(given), expected or document.version)
            try:
                return _view(await self._write(shop, write))
            except VersionConflict:
                if expected is not None or attempt == 3:
                    raise
        raise AssertionError

    async def delete(self, shop: str, product: str, expected: int | None) -> None:
        """Take a product out. Raises NotFound or VersionConflict."""
        await self._document(shop, product)
        if await self._write(shop, ProductWrite(product, None, expected)) is None:
            raise NotFound(f"no product `{product}`")

    async def get(self, shop: str, product: str) -> ProductView:
        """One product. Raises NotFound."""
        return _view(await self._document(shop, product))

    async def page(self, shop: str, cursor: str | None, limit: int) -> ProductPage:
        """Products by id, `limit` at a time. Raises InvalidInput naming cursor or limit."""
        if not 1 <= limit <= MAX_PAGE:
            problem = FieldProblem("/limit", "out_of_range", f"must be 1 to {MAX_PAGE}")
            raise InvalidInput("the page cannot be made", [problem])
        after = _from_cursor(cursor) if cursor is not None else ""
        found = await asyncio.to_thread(self._store.page, shop, after, limit + 1)
        data = [_view(document) for document in found[:limit]]
        more = len(found) > limit
        return ProductPage(data, _to_cursor(found[limit - 1].id) if more else None, more)

    async def import_rows(
        self,
        shop: str,
        rows: Iterable[Row],
        dry_run: bool = False,
        refused: Callable[[RowError], None] = lambda _: None,
    ) -> ImportReport:
        """Store every good row and report the others, each to `refused`; a dry run only reports.

        A file that cannot be read from some row on counts that as one refused row (line 0) and
        ends there. Raises what the reader raised when there was no row before it.
        """
        read = written = rejected = 0
        errors: list[RowError] = []
        stream = iter(rows)
        torn: EndcapError | None = None
        while torn is None:
            chunk, torn = await asyncio.to_thread(self._chunk, stream)
            if torn is not None and not read + len(chunk):
                raise torn
            if torn is not None:
                chunk.append(RowError(0, (_torn(torn),)))
            if not chunk:
                break
            read += len(chunk)
            writes = [write for write in chunk if isinstance(write, ProductWrite)]
            bad = [error for error in chunk if isinstance(error, RowError)]
            rejected += len(bad)
            for error in bad:
                refused(error)
            errors += bad[: SHOWN_ERRORS - len(errors)]
            if writes and not dry_run:
                await self._write_all(shop, writes)
            written += len(writes)
        return ImportReport(read=read, written=written, rejected=rejected, errors=errors)

    def _chunk(
        self, rows: Iterator[Row]
    ) -> tuple[list[ProductWrite | RowError], EndcapError | None]:
        """The next rows, and what made the rest of the file unreadable, if anything did."""
        found: list[ProductWrite | RowError] = []
        try:
            for row in islice(rows, CHUNK):
                found.append(self._write_of(row))  # noqa: PERF401 - kept when the next row fails
        except EndcapError as error:
            return found, error
        return found, None

    def _write_of(self, row: Row) -> ProductWrite | RowError:
        if row.value is None:
            return RowError(row.line, row.problems)
        try:
            product = checked(row.value, None, self._currency)
        except InvalidInput as error:
            return RowError(row.line, error.problems)
        return ProductWrite(product.id, canonical(product))

    async def _document(self, shop: str, product: str) -> ProductDocument:
        _check_id(product)
        document = await asyncio.to_thread(self._store.get, shop, product)
        if document is None:
            raise NotFound(f"no product `{product}`")
        return document

    async def _write(self, shop: str, write: ProductWrite) -> ProductDocument | None:
        return (await self._write_all(shop, [write]))[0]

    async def _write_all(
        self, shop: str, writes: list[ProductWrite]
    ) -> list[ProductDocument | None]:
        # Shielded: what the store has taken is in the columns even when the caller went away.
        return await asyncio.shield(self._in_turn(shop, writes))

    async def _in_turn(self, shop: str, writes: list[ProductWrite]) -> list[ProductDocument | None]:
        # One write at a time, so that the columns take changes in the order of the store.
        async with self._turn:
            documents = await asyncio.to_thread(self._store.write, shop, writes, self._clock())
            await self._changed(shop, [d for d in documents if d is not None])
        return documents


def _torn(error: EndcapError) -> FieldProblem:
    return FieldProblem("", error.code, f"{error.detail}; the rest of the file was not read")


def _check_id(product: str) -> None:
    if problem := id_problem(product, "/id"):
        raise InvalidInput("the id cannot be used", [problem])


def _view(document: ProductDocument | None) -> ProductView:
    if document is None:
        raise NotFound("no such product")
    return ProductView(msgspec.Raw(document.body), document.version, document.updated_at)


def _to_cursor(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).rstrip(b"=").decode()


def _from_cursor(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError) as error:
        problem = FieldProblem("/cursor", "invalid", "is not a cursor that this API gave")
        raise InvalidInput("the page cannot be made", [problem]) from error
