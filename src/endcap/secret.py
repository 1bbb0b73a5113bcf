"""The installation's secret: found or made, never a guessable one, always the store's own."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from endcap.core.errors import ConfigurationError, VersionConflict
from endcap.core.placement import ControlRecord
from endcap.core.ports import Control
from endcap.settings import Settings

KIND = "installation"
NAME = "secret"
EVERY_SHOP = ""
BYTES = 32
# Fewer different bytes than this are typed or copied from an example, not drawn by chance.
DIFFERENT = 12


def read_secret(settings: Settings) -> bytes:
    """The secret from the settings, or from `data`/secret.key, which is made when it is not there.

    Raises ConfigurationError when it cannot be read, is guessable, or can be read by others.
    """
    if settings.secret:
        return _decoded(settings.secret, "secret")
    file = settings.folder / "secret.key"
    settings.folder.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        _make(file)
    if file.stat().st_mode & 0o077:
        raise ConfigurationError(f"{file} can be read by others; run: chmod 600 {file}")
    return _decoded(file.read_text("utf-8").strip(), str(file))


def check_secret(control: Control, secret: bytes, now: int) -> None:
    """Refuse a secret other than the one the store's visitors were named with.

    The store keeps a fingerprint, from which it cannot be worked out. Raises
    ConfigurationError.
    """
    mark = hmac.digest(secret, b"endcap secret\0", hashlib.sha256).hex()[:32].encode()
    found = control.get(EVERY_SHOP, KIND, NAME, None)
    if found is None:
        record = ControlRecord(
            kind=KIND,
            name=NAME,
            version=0,
            body=mark,
            author="endcap",
            note="fingerprint of the secret",
            created_at=now,
        )
        try:
            control.put(EVERY_SHOP, record, 0)
        except VersionConflict:
            found = control.get(EVERY_SHOP, KIND, NAME, None)
    if found is not None and found.body != mark:
        raise ConfigurationError(
            "secret: the visitors in this store were named with another; set ENDCAP_SECRET to "
            "the one of the server that made the store (its data folder has it in secret.key)"
        )


def _decoded(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise ConfigurationError(f"{where}: must be hexadecimal digits") from error
    if len(key) < BYTES or len(set(key)) < DIFFERENT:
        raise ConfigurationError(
            f"{where}: must be {2 * BYTES} hexadecimal digits drawn by chance, for example the "
            "output of `openssl rand -hex 32`"
        )
    return key


def _make(file: Path) -> None:
    # Linked into place when it is whole: another replica may be looking for it just now.
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(secrets.token_hex(BYTES))
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
