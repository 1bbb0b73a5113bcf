"""Items of an XML feed (RSS 2.0 or Atom), one at a time, in memory that does not grow with it.

A document type declaration is refused: no feed needs one, and entities are how XML is abused.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from endcap.core.errors import MalformedBody
from endcap.ingest.formats.rows import Fields

CHUNK = 65_536
MAX_ITEM = 500_000
ITEMS = frozenset({"item", "entry"})


class _Reader:
    """Collects the fields of one item after the other; the first value of a name counts."""

    def __init__(self) -> None:
        self.done: list[Fields] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._item: dict[str, str] | None = None
        self._line = self._depth = self._size = 0
        self._parts: list[str] = []
        self._href = ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if self._item is None:
            if local in ITEMS:
                self._item, self._line = {}, self.parser.CurrentLineNumber
                self._depth = self._size = 0
            return
        self._depth += 1
        if self._depth == 1:
            self._parts, self._href = [], attributes.get("href", "")

    def _end(self, name: str) -> None:
        if self._item is None:
            return
        if self._depth == 0:
            self.done.append(Fields(self._line, dict(self._item)))
            self._item = None
            return
        if self._depth == 1:
            value = "".join(self._parts).strip() or self._href
            if value:
                self._item.setdefault(name.rpartition(" ")[2], value)
        self._depth -= 1

    def _text(self, data: str) -> None:
        if self._item is None or self._depth != 1:
            return
        self._size += len(data)
        if self._size > MAX_ITEM:
            raise MalformedBody(f"the item at line {self._line} is longer than {MAX_ITEM:,}")
        self._parts.append(data)

    def _doctype(self, *_: object) -> None:
        raise MalformedBody("the feed has a document type declaration; send it without one")


def xml_rows(stream: BinaryIO) -> Iterator[Fields]:
    """The items of a feed with their line. Raises MalformedBody for what is no XML."""
    reader = _Reader()
    try:
        while chunk := stream.read(CHUNK):
            reader.parser.Parse(chunk, False)
            yield from reader.done
            reader.done.clear()
        reader.parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise MalformedBody(f"the feed is not well-formed XML: {error}") from error
    yield from reader.done
