"""Visitor tokens: the shop's proof of who the visitor is, for its publishable keys.

`visitor.expires.mac`: the visitor id in base64url, the end in UTC seconds, and an HMAC-SHA-256 over
both in base64url under the digest (hexadecimal SHA-256) of the shop's secret key. So a shop can
make one with the secret key it has, without asking us:

    mac = HMAC-SHA-256(key = hex(SHA-256(secret key)), "visitor:v1\\n" + visitor + "\\n" + expires)
"""

import base64
import hmac
from collections.abc import Iterable

MAX_LIFE = 86_400


def new_visitor_token(key_digest: str, visitor: str, expires: int) -> str:
    """A token for a visitor until `expires` (UTC seconds)."""
    name = base64.urlsafe_b64encode(visitor.encode()).rstrip(b"=").decode()
    return f"{name}.{expires}.{_mac(key_digest, visitor, expires)}"


def visitor_of(token: str, key_digests: Iterable[str], now: int) -> str | None:
    """The visitor a token names; None when no key of the shop made it or its time is over."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 1_500 or not parts[1].isascii() or not parts[1].isdigit():
        return None
    name, until, mac = parts[0], parts[1][:12], parts[2]
    if not now < int(until) <= now + MAX_LIFE:
        return None
    try:
        padded = name + "=" * (-len(name) % 4)
        visitor = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode()
    except ValueError:
        return None
    for key in key_digests:
        right = _mac(key, visitor, int(until))
        if hmac.compare_digest(right.encode(), mac.encode("utf-8", "replace")):
            return visitor
    return None


def _mac(key_digest: str, visitor: str, expires: int) -> str:
    message = f"visitor:v1\n{visitor}\n{expires}".encode()
    mac = hmac.digest(key_digest.encode(), message, "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
