"""Static API keys: made here, shown once, kept only as a digest.

`rk_sec_…` is secret, `rk_pub_…` is publishable (for browsers). The form is prefix, 16 characters
that name the key, 43 random characters (256 bits) and 6 of a checksum, so that scanners can find
leaked keys and a mistyped one is refused without a look-up.
"""

import base64
import hashlib
import secrets
import zlib
from typing import Literal, NamedTuple

KeyKind = Literal["secret", "publishable"]
PREFIXES: dict[str, KeyKind] = {"rk_sec_": "secret", "rk_pub_": "publishable"}
_ID, _RANDOM, _SUM = 16, 43, 6
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class NewKey(NamedTuple):
    """A key just made; `text` is not kept anywhere."""

    text: str
    id: str
    digest: str


def new_key(kind: KeyKind) -> NewKey:
    """A fresh key."""
    prefix = next(p for p, k in PREFIXES.items() if k == kind)
    name = "".join(secrets.choice(_ALPHABET) for _ in range(_ID))
    body = prefix + name + secrets.token_urlsafe(32)
    text = body + _checksum(body)
    return NewKey(text, name, digest(text))


def is_key(text: str) -> bool:
    """Whether the text has the form and checksum of a key."""
    if len(text) != 7 + _ID + _RANDOM + _SUM or text[:7] not in PREFIXES or not text.isascii():
        return False
    return text[-_SUM:] == _checksum(text[:-_SUM])


def digest(secret: str) -> str:
    """What is kept of a random secret. SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """256 random bits as text: client secrets, session ids, codes, refresh tokens."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    hashed = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _checksum(text: str) -> str:
    value, found = zlib.crc32(text.encode()), ""
    for _ in range(_SUM):
        value, rest = divmod(value, 62)
        found = _ALPHABET[rest] + found
    return found
