"""Signing what is sent to others, as the Standard Webhooks specification says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import os
from collections.abc import Iterable

PREFIX = "whsec_"


def new_webhook_secret() -> str:
    """256 random bits in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def signatures(secrets: Iterable[str], message: str, seconds: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1,…` for each secret that is good just now."""
    content = f"{message}.{seconds}.".encode() + body
    made = (hmac.digest(_key(secret), content, "sha256") for secret in secrets)
    return " ".join("v1," + base64.b64encode(one).decode() for one in made)


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))
