"""The id of a request: the caller's, when it is a decent one, or one of ours."""

import secrets
from collections.abc import Iterable

MAX_REQUEST_ID = 128


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The value of `x-request-id`, when it is printable ASCII without spaces, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and 1 <= len(value) <= MAX_REQUEST_ID:
            text: str = value.decode("latin-1")
            if text.isascii() and text.isprintable() and " " not in text:
                return text
    return secrets.token_hex(8)
