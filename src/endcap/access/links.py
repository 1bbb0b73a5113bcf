"""One-time sign-in links, made with the installation's secret, so that no store is needed."""

import base64
import hmac
import secrets

import msgspec

from endcap.core.times import MINUTE

from .sealing import derived

LINK_LIFE = 15 * MINUTE


class Link(msgspec.Struct, frozen=True, array_like=True):
    """Who it signs in, until when (UTC milliseconds), and what makes it unique."""

    shop: str
    account: str
    until: int
    nonce: str


def new_link(secret: bytes, shop: str, account: str, until: int) -> str:
    """The text of a fresh link."""
    nonce = secrets.token_urlsafe(16)
    body = msgspec.msgpack.encode(Link(shop, account, until, nonce))
    return _text(body) + "." + _text(_mac(secret, body))


def read_link(secret: bytes, text: str, now: int) -> Link | None:
    """What a link says; None when it is not one of ours or its time is over."""
    head, _, tail = text.partition(".")
    try:
        body, mac = _bytes(head), _bytes(tail)
        if not hmac.compare_digest(mac, _mac(secret, body)):
            return None
        link = msgspec.msgpack.decode(body, type=Link)
    except (ValueError, msgspec.DecodeError):
        return None
    return link if link.until > now else None


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(derived(secret, "login-link:v1"), body, "sha256")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if len(text) > 2_000:
        raise ValueError("too long")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
