"""Starting from an image of the catalogue instead of reading every product."""

import asyncio
import logging
from pathlib import Path

from endcap.catalog import image
from endcap.catalog.columns import Columns
from endcap.core.errors import SnapshotRefused
from endcap.core.failures import said
from endcap.core.ports import Catalogue

LOG = logging.getLogger(__name__)
PAGE = 2_000
# Reading this many changes takes well under a second; a new image is worth it beyond.
ENOUGH = 20_000


class CatalogueImages:
    """One image per shop in `folder`; a start that had much to read leaves a new one.

    An image is only ever a faster way to what the store says: one that is torn, of other code, or
    of another store is passed over.
    """

    def __init__(self, catalogue: Catalogue, folder: Path | None) -> None:
        self._catalogue = catalogue
        self._folder = folder

    async def columns(self, shop: str) -> Columns:
        """The shop's columns, up to the store's last change."""
        opened = await asyncio.to_thread(self._opened, shop)
        columns = opened.columns if opened else Columns(shop)
        read = await self._catch_up(columns)
        if opened is not None and not await asyncio.to_thread(self._is_ours, opened):
            LOG.warning("the catalogue's image is of another store, and is passed over")
            columns = Columns(shop)
            read = await self._catch_up(columns)
        if read < ENOUGH or self._folder is None:
            return columns
        await asyncio.to_thread(self._save, columns)
        # What was just read is in memory; what comes from the image is mapped.
        opened = await asyncio.to_thread(self._opened, shop)
        return opened.columns if opened else columns

    async def _catch_up(self, columns: Columns) -> int:
        read = 0
        while True:
            documents = await asyncio.to_thread(
                self._catalogue.changes, columns.shop, columns.change, PAGE
            )
            columns.apply(documents)
            read += len(documents)
            if len(documents) < PAGE:
                return read

    def _opened(self, shop: str) -> image.Image | None:
        file = self._file(shop)
        if file is None or not file.exists():
            return None
        try:
            return image.load(file, shop)
        except SnapshotRefused as error:
            LOG.info("the catalogue's image is passed over: %s", error.detail)
            return None

    def _is_ours(self, opened: image.Image) -> bool:
        """Whether the store has what the image was made of, or what came after it."""
        columns, head = opened.columns, opened.head
        if head.change and not self._catalogue.changes(columns.shop, head.change - 1, 1):
            return False
        for sample in head.samples:
            document = self._catalogue.get(columns.shop, sample.id)
            if not sample.leads_to(document, head.change):
                return False
            row = columns.row(sample.id)
            if (document is None) is (row is not None and bool(columns.alive[row])):
                return False
        return True

    def _save(self, columns: Columns) -> None:
        file = self._file(columns.shop)
        assert file is not None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            image.save(columns, file)
        except OSError as error:
            LOG.warning("no image of the catalogue could be written: %s", said(error))

    def _file(self, shop: str) -> Path | None:
        # Hexadecimal, because a shop's name may hold what a file's name may not.
        return self._folder / f"{shop.encode().hex()}.columns" if self._folder else None
