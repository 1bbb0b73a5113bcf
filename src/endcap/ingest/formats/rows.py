"""Rows of a file, whatever its format: a line number and fields, or what is wrong with the line."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

from endcap.core.errors import BodyTooLarge, FieldProblem, InvalidInput, MalformedBody

MAX_LINE = 1_000_000
MAX_FIELD = 65_536
Problems = tuple[FieldProblem, ...]
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_ANY = msgspec.json.Decoder(dict[str, Any])


class Fields(NamedTuple):
    """One row: its fields by name, or its problems. A CSV row's fields are all texts."""

    line: int
    fields: dict[str, Any] | None
    problems: Problems = ()


class Bounded(io.RawIOBase):
    """A stream that gives at most `limit` bytes of another and then raises BodyTooLarge."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise BodyTooLarge(f"the unpacked file has more than {self._limit:,} bytes")
        buffer[: len(content)] = content
        return len(content)


def read_rows(stream: BinaryIO, name: str, limit: int | None = None) -> Iterator[Fields]:
    """The rows of a file in format `name`; a gzip file is unpacked on the way.

    Raises MalformedBody when the file as a whole cannot be read, BodyTooLarge when it has more
    than `limit` bytes unpacked.
    """
    unpacked = _unpacked(stream)
    if limit is not None:
        unpacked = io.BufferedReader(Bounded(unpacked, limit))
    try:
        yield from _rows(unpacked, name)
    except (OSError, EOFError, zlib.error) as error:
        raise MalformedBody(f"the file cannot be unpacked: {error}") from error


def _rows(stream: BinaryIO, name: str) -> Iterator[Fields]:
    if name == "ndjson":
        return _ndjson(stream)
    if name == "json":
        return _json(stream)
    if name == "xml":
        from endcap.ingest.foreign.xml_feed import xml_rows

        return xml_rows(stream)
    return _delimited(stream, "\t" if name == "tsv" else ",")


def _unpacked(stream: BinaryIO) -> BinaryIO:
    head = stream.read(2)
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if head == b"\x1f\x8b" else stream  # type: ignore[return-value]


def _ndjson(stream: BinaryIO) -> Iterator[Fields]:
    line = 0
    while content := stream.readline(MAX_LINE + 1):
        line += 1
        if len(content) > MAX_LINE:
            raise MalformedBody(f"line {line} is longer than {MAX_LINE:,} bytes")
        if line == 1:
            content = content.removeprefix(b"\xef\xbb\xbf")
        if content.strip():
            yield _object(line, content)


def _json(stream: BinaryIO) -> Iterator[Fields]:
    try:
        content = stream.read()
        elements = msgspec.json.decode(content, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        one = _object(1, content)
        if one.fields is None:
            raise InvalidInput("the file must hold a JSON array or one object") from error
        yield one
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"the file is not valid JSON: {error}") from error
    for place, element in enumerate(elements, 1):
        yield _object(place, bytes(element))


def _object(line: int, content: bytes) -> Fields:
    try:
        return Fields(line, _ANY.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Fields(line, None, (FieldProblem("", "malformed", f"is no JSON object: {error}"),))


def _delimited(stream: BinaryIO, delimiter: str) -> Iterator[Fields]:
    reader = csv.reader(_texts(stream), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for values in reader:
            if values:
                yield _row(reader.line_num, header, values)
    except UnicodeDecodeError as error:
        raise MalformedBody(
            f"line {reader.line_num + 1} is not UTF-8; save the file as UTF-8"
        ) from error
    except csv.Error as error:
        raise MalformedBody(f"line {reader.line_num}: {error}") from error


def _texts(stream: BinaryIO) -> Iterator[str]:
    """Line by line, so that what comes before a broken line is still read."""
    encoding = "utf-8-sig"
    while content := stream.readline(MAX_LINE + 1):
        if len(content) > MAX_LINE:
            raise MalformedBody(f"a line is longer than {MAX_LINE:,} bytes")
        yield content.decode(encoding)
        encoding = "utf-8"


def _check_header(header: list[str]) -> None:
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise InvalidInput(f"columns occur twice: {', '.join(sorted(twice))}")


def _row(line: int, header: list[str], values: list[str]) -> Fields:
    if len(values) != len(header):
        message = f"has {len(values)} values, the header has {len(header)}"
        return Fields(line, None, (FieldProblem("", "wrong_length", message),))
    fields = dict(zip(header, values, strict=True))
    long = [name for name, value in fields.items() if len(value) > MAX_FIELD]
    if long:
        message = f"is longer than {MAX_FIELD:,} characters"
        return Fields(line, None, tuple(FieldProblem(f"/{n}", "too_long", message) for n in long))
    return Fields(line, {name: value for name, value in fields.items() if value != ""})


def number_of(text: str, whole: bool) -> int | float | None:
    """A plain decimal number as a file has it, or None: no `nan`, no `1_000`, no other digits."""
    if not (_WHOLE if whole else _DECIMAL).fullmatch(text.strip()):
        return None
    return int(text) if whole else float(text)
