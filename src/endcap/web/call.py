"""One call of an operation: its parameters and body, read within limits and with clear errors."""

import difflib
import zlib
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from endcap.core.access import Caller
from endcap.core.errors import BodyTooLarge, FieldProblem, Forbidden, InvalidInput, MalformedBody
from endcap.core.pointers import refusal

from .problems import UnsupportedMediaType
from .services import AppServices

T = TypeVar("T")
JSON = "application/json"
_ENCODER = msgspec.json.Encoder()


class Call:
    """What a handler works with."""

    __slots__ = ("_query", "allowed", "caller", "request", "services")

    def __init__(
        self, request: Request, services: AppServices, allowed: frozenset[str], caller: Caller
    ) -> None:
        self.request = request
        self.caller = caller
        self.services = services
        self.allowed = allowed
        self._query: dict[str, list[str]] | None = None

    @property
    def shop(self) -> str:
        """The shop this call is for: the caller's, never one that the request names."""
        return self.caller.shop

    def need(self, scope: str) -> None:
        """Ask for a scope beside the operation's own. Raises Forbidden."""
        if scope not in self.caller.scopes:
            raise Forbidden(f"needs the scope `{scope}` too, which this caller does not have")

    def query(self) -> dict[str, list[str]]:
        """Query parameters, each with all its values.

        Raises InvalidInput for bytes that are not UTF-8 and for a parameter the operation does not
        have, with the nearest one it has.
        """
        if self._query is None:
            self._query = self._read_query(self.request.scope["query_string"])
        return self._query

    def _read_query(self, raw: bytes) -> dict[str, list[str]]:
        if not raw:
            return {}
        try:
            pairs = parse_qsl(
                raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000
            )
        except (UnicodeDecodeError, ValueError) as error:
            raise InvalidInput(f"the query string cannot be read: {error}") from error
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in self.allowed and not self._is_open(name):
                raise InvalidInput("unknown parameter", [self._unknown(name)])
            found.setdefault(name, []).append(value)
        return found

    def _is_open(self, name: str) -> bool:
        """Whether a parameter such as `attr.*` takes the name."""
        head = name.partition(".")[0]
        return f"{head}.*" in self.allowed and len(name) > len(head) + 1

    def tail(self, prefix: str) -> str:
        """What follows `prefix` in the path, percent-decoded once, exact to the byte.

        Raises InvalidInput when it is not UTF-8.
        """
        raw: bytes = self.request.scope.get("raw_path") or self.request.scope["path"].encode()
        # The prefix is skipped by its slashes, as any letter of it may come percent-encoded.
        steps = raw.partition(b"?")[0].split(b"/")
        rest = b"/".join(islice(steps, prefix.count("/"), None))
        try:
            return unquote_to_bytes(rest).decode()
        except UnicodeDecodeError as error:
            problem = FieldProblem("/id", "invalid", "is not percent-encoded UTF-8")
            raise InvalidInput("the address cannot be read", [problem]) from error

    async def body(self, limit: int) -> bytes:
        """The body, unpacked if it came as gzip.

        Raises BodyTooLarge, reading no further, or UnsupportedMediaType for another encoding.
        """
        headers = self.request.headers
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise UnsupportedMediaType(f"content-encoding `{encoding[:50]}`: send gzip or none")
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            raise BodyTooLarge(f"the body has {declared[:20]} bytes, at most {limit:,} are taken")
        parts: list[bytes] = []
        size = 0
        async for part in self.request.stream():
            size += len(part)
            if size > limit:
                raise BodyTooLarge(f"the body has more than {limit:,} bytes")
            parts.append(part)
        body = b"".join(parts)
        if encoding in ("gzip", "x-gzip"):
            body = unpacked(body, limit)
        return body

    async def decoded(self, kind: type[T], limit: int) -> T:
        """The JSON body as `kind`. Raises MalformedBody, InvalidInput or BodyTooLarge."""
        return decode(await self.body(limit), kind)

    def _unknown(self, name: str) -> FieldProblem:
        near = difflib.get_close_matches(name, self.allowed, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        known = ", ".join(sorted(self.allowed)) or "none"
        return FieldProblem(
            f"/query/{name[:100]}", "unknown_parameter", f"parameters are: {known}{hint}"
        )


def decode(body: bytes, kind: type[T]) -> T:
    """JSON as `kind`. Raises MalformedBody, or InvalidInput naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, body, "the body cannot be taken") from error


def unpacked(body: bytes, limit: int) -> bytes:
    """A gzip body unpacked, at most `limit` bytes of it. Raises MalformedBody or BodyTooLarge."""
    worker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = worker.decompress(body, limit + 1)
    except zlib.error as error:
        raise MalformedBody(f"the body is not gzip: {error}") from error
    if len(content) > limit:
        raise BodyTooLarge(f"the unpacked body has more than {limit:,} bytes")
    if not worker.eof:
        raise MalformedBody("the gzip body ends too early")
    return content


def answer(value: Any, status: int = 200, secret: bool = False) -> Response:
    """A value as a JSON answer; a `secret` one is kept by no cache."""
    headers = {"cache-control": "no-store"} if secret else None
    return Response(_ENCODER.encode(value), status, headers, JSON)


def number(values: dict[str, list[str]], name: str, default: int | None) -> int | None:
    """A whole number among the parameters. Raises InvalidInput naming it."""
    text = values.get(name, [None])[-1]
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        problem = FieldProblem(f"/query/{name}", "wrong_type", "must be a whole number")
        raise InvalidInput("the parameters cannot be taken", [problem])
    return int(text)


def flag(values: dict[str, list[str]], name: str) -> bool:
    """A yes or no among the parameters. Raises InvalidInput naming it."""
    text = values.get(name, ["false"])[-1].lower()
    if text not in ("true", "false", "1", "0", ""):
        problem = FieldProblem(f"/query/{name}", "wrong_type", "must be true or false")
        raise InvalidInput("the parameters cannot be taken", [problem])
    return text in ("true", "1", "")


def expected_version(call: Call) -> int | None:
    """The version in `If-Match`, which a change must still find. Raises InvalidInput."""
    text = call.request.headers.get("if-match")
    if text is None or text.strip() == "*":
        return None
    digits = text.strip().removeprefix("W/").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        problem = FieldProblem("/header/If-Match", "invalid", 'must be a version, like "3"')
        raise InvalidInput("the header cannot be taken", [problem])
    return int(digits)
