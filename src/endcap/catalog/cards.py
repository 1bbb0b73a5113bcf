"""Product fields as the answer shows them: JSON made once per product version and reused."""

from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from .arrays import IntArray
from .columns import Columns
from .facets import facets_of

DEFAULT_FIELDS = (
    "title",
    "url",
    "image",
    "brand",
    "categories",
    "price",
    "list_price",
    "currency",
    "rating",
    "rating_count",
    "availability",
)


class Card(NamedTuple):
    """What a slate needs of one product: its JSON and its title."""

    version: int
    json: msgspec.Raw
    title: str


class Cards:
    """A bounded cache of cards by row; a card of an older version is made anew."""

    def __init__(self, columns: Columns, limit: int = 50_000) -> None:
        self._columns = columns
        self._limit = limit
        self._cards: OrderedDict[int | tuple[int, str], Card] = OrderedDict()
        self._facets: OrderedDict[int, tuple[int, tuple[tuple[str, float], ...]]] = OrderedDict()

    def card(self, row: int, zone: str | None = None) -> Card:
        """The card with the ready set of fields, as they are in the zone."""
        overlay = self._columns.zones.find(zone)
        differs = overlay is not None and overlay.place(row) is not None
        key = (row, zone) if differs and zone is not None else row
        card = self._cards.get(key)
        if card is not None and card.version == self._columns.version[row]:
            return card
        fields = self._decoded(row, zone)
        card = Card(
            version=int(self._columns.version[row]),
            json=msgspec.Raw(_picked(fields, DEFAULT_FIELDS)),
            title=fields.get("title") or self._columns.ids[row],
        )
        self._cards[key] = card
        if len(self._cards) > self._limit:
            self._cards.popitem(last=False)
        return card

    def cards(self, rows: IntArray, zone: str | None = None) -> list[msgspec.Raw]:
        """The JSON of the cards of several rows."""
        if self._columns.zones.find(zone) is not None:
            return [self.card(row, zone).json for row in rows.tolist()]
        known, versions = self._cards, self._columns.version[rows].tolist()
        found: list[msgspec.Raw] = []
        for row, version in zip(rows.tolist(), versions, strict=True):
            card = known.get(row)
            if card is None or card.version != version:
                card = self.card(row)
            found.append(card.json)
        return found

    def title(self, row: int) -> str:
        """The product's title, or its id when it has none."""
        card = self._cards.get(row)
        if card is None or card.version != self._columns.version.item(row):
            card = self.card(row)
        return card.title

    def picked(self, row: int, fields: tuple[str, ...], zone: str | None = None) -> msgspec.Raw:
        """JSON with just these fields, as they are in the zone."""
        return msgspec.Raw(_picked(self._decoded(row, zone), fields))

    def facets(self, row: int) -> tuple[tuple[str, float], ...]:
        """What the product is like; see `facets_of`."""
        known = self._facets.get(row)
        if known is not None and known[0] == self._columns.version[row]:
            return known[1]
        found = facets_of(self._columns.product(row))
        self._facets[row] = (int(self._columns.version[row]), found)
        if len(self._facets) > self._limit:
            self._facets.popitem(last=False)
        return found

    def _decoded(self, row: int, zone: str | None) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.json.decode(self._columns.body(row))
        own = fields.get("zones", {}).get(zone) if zone is not None else None
        if own:
            fields |= {name: own[name] for name in ("price", "stock") if name in own}
        return fields


def _picked(fields: dict[str, Any], names: tuple[str, ...]) -> bytes:
    return msgspec.json.encode({name: fields[name] for name in names if name in fields})
