"""Sealing what must be kept secret in the store: AES-256-GCM under a key made from the secret."""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Sealer:
    """Seals values for one purpose; the purposes' keys tell nothing of each other or the secret."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._cipher = AESGCM(derived(secret, f"seal:v1:{purpose}"))

    def seal(self, content: bytes, about: str) -> bytes:
        """The content, readable only with the secret and the same `about`."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The content again. Raises ValueError when key, content or `about` differ."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise ValueError("sealed under another secret, or damaged") from error


def derived(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose (HMAC-SHA-256 as a key derivation function)."""
    return hmac.digest(secret, purpose.encode(), "sha256")
