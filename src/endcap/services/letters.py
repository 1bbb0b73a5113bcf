"""Refused events, kept sealed: they come as they are, so they may hold anything."""

import msgspec

from endcap.access.sealing import Sealer
from endcap.core.event import DeadLetter
from endcap.ingest.pseudonyms import Pseudonyms


class _Named(msgspec.Struct):
    visitor: str = ""


class Letters:
    """Seals what is kept of refused events, and opens it again for replay."""

    def __init__(self, sealer: Sealer, pseudonyms: Pseudonyms) -> None:
        self._sealer = sealer
        self._pseudonyms = pseudonyms

    def sealed(self, letter: DeadLetter, limit: int) -> DeadLetter:
        """The letter, of its payload at most `limit` bytes, sealed, and its visitor's pseudonym."""
        payload = self._sealer.seal(letter.payload[:limit], letter.shop)
        visitor = ""
        if name := _visitor_in(letter.payload):
            visitor = self._pseudonyms.visitor(letter.shop, name)
        return msgspec.structs.replace(letter, payload=payload, visitor=visitor)

    def opened(self, letter: DeadLetter) -> DeadLetter:
        """The letter as it came. Raises ValueError when it was sealed under another secret."""
        payload = self._sealer.open(letter.payload, letter.shop)
        return msgspec.structs.replace(letter, payload=payload)


def _visitor_in(payload: bytes) -> str:
    try:
        return msgspec.json.decode(payload, type=_Named).visitor
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
