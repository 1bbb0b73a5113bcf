"""Product fields as the answer shows them: JSON made once per product version and reused."""

from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from .columns import Columns

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
        self._cards: OrderedDict[int, Card] = OrderedDict()

    def card(self, row: int) -> Card:
        """The card with the ready set of fields."""
        card = self._cards.get(row)
        if card is not None and card.version == self._columns.version[row]:
            return card
        fields = self._decoded(row)
        card = Card(
            version=int(self._columns.version[row]),
            json=msgspec.Raw(_picked(fields, DEFAULT_FIELDS)),
            title=fields.get("title") or self._columns.ids[row],
        )
        self._cards[row] = card
        if len(self._cards) > self._limit:
            self._cards.popitem(last=False)
        return card

    def title(self, row: int) -> str:
        """The product's title, or its id when it has none."""
        return self.card(row).title

    def picked(self, row: int, fields: tuple[str, ...]) -> msgspec.Raw:
        """JSON with just these fields."""
        return msgspec.Raw(_picked(self._decoded(row), fields))

    def _decoded(self, row: int) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.json.decode(self._columns.body(row))
        return fields


def _picked(fields: dict[str, Any], names: tuple[str, ...]) -> bytes:
    return msgspec.json.encode({name: fields[name] for name in names if name in fields})
