"""Pseudonyms: what the store knows instead of visitor and session ids.

HMAC-SHA-256 under a secret key, 128 bits kept: the same id gives the same pseudonym, and without
the key neither direction can be walked (EDPB Guidelines 01/2025 on pseudonymisation).
"""

import base64
import hmac
from collections.abc import Callable
from functools import lru_cache

from endcap.core.errors import ConfigurationError

KEY_BYTES = 32


class Pseudonyms:
    """Makes pseudonyms of 22 characters; keeps the most recent `remembered` ones in memory."""

    def __init__(self, key: bytes, remembered: int = 100_000) -> None:
        if len(key) < KEY_BYTES:
            raise ConfigurationError(f"secret: needs at least {KEY_BYTES} bytes, has {len(key)}")
        self._key = key
        self._made: Callable[[bytes, str, str], str] = lru_cache(remembered)(self._make)

    def visitor(self, shop: str, visitor: str) -> str:
        """The pseudonym of a visitor in one shop."""
        return self._made(b"subject:v1", shop, visitor)

    def session(self, shop: str, session: str) -> str:
        """The pseudonym of a session in one shop."""
        return self._made(b"session:v1", shop, session)

    def _make(self, domain: bytes, shop: str, name: str) -> str:
        message = b"\0".join((domain, shop.encode(), name.encode()))
        digest = hmac.digest(self._key, message, "sha256")[:16]
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
