"""What `endcap doctor` looks at around the installation: environment, folder, clock, telemetry."""

import difflib
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.core.failures import said
from endcap.core.times import SECOND, Clock
from endcap.observed import Telemetry
from endcap.settings import PREFIX, Settings

SKEW = 5 * SECOND
PATIENCE = 2.0
# Of our own tools, not of the server.
NO_SETTINGS = ("ENDCAP_PYTHON", "ENDCAP_TEST_")


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: right, a hint, or wrong; `advice` says what to do."""

    level: Literal["right", "hint", "wrong"]
    text: str
    advice: str = ""


def look_around(settings: Settings, environ: Mapping[str, str], clock: Clock) -> list[Finding]:
    """Everything that can be seen without opening the store."""
    return [
        *_misspelt(environ),
        *_folder(settings, clock),
        *_telemetry(settings, clock),
        *_exposure(settings),
    ]


def _misspelt(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {PREFIX + name.upper() for name in Settings.__struct_fields__}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(NO_SETTINGS):
            near = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {near[0]}?" if near else "see docs/settings.md"
            yield Finding("hint", f"{name} is no setting and has no effect", advice)


def _folder(settings: Settings, clock: Clock) -> Iterator[Finding]:
    folder = settings.folder if settings.folder.exists() else settings.folder.absolute().parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
            apart = Path(file.name).stat().st_mtime * 1_000 - clock()
    except OSError as error:
        advice = f"let the user that runs endcap write there: chown or chmod {folder}"
        yield Finding("wrong", f"{folder} cannot be written ({said(error)})", advice)
        return
    if abs(apart) > SKEW:
        text = f"the clocks of this machine and of the disk of {settings.data} are "
        advice = "let NTP set both: builds and leases compare times of several machines"
        yield Finding("wrong", f"{text}{abs(apart) / SECOND:.0f} s apart", advice)
    else:
        yield Finding("right", f"{settings.data} can be written, and its clock agrees")


def _telemetry(settings: Settings, clock: Clock) -> Iterator[Finding]:
    try:
        Telemetry(settings, clock)
    except ConfigurationError as error:
        yield Finding("wrong", error.detail, "the server does not start like this")
        return
    for name, url in (
        ("otel_endpoint", settings.otel_endpoint),
        ("sentry_dsn", settings.sentry_dsn),
    ):
        if url:
            yield _reached(name, url)


def _reached(name: str, url: str) -> Finding:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    where = f"{parts.hostname}:{port} ({name})"
    try:
        socket.create_connection((parts.hostname or "", port), PATIENCE).close()
    except OSError as error:
        advice = f"start it, or empty {name}; requests are answered without it"
        return Finding("wrong", f"nothing answers at {where}: {said(error)}", advice)
    return Finding("right", f"something answers at {where}")


def _exposure(settings: Settings) -> Iterator[Finding]:
    if settings.public_url and not settings.trusted_proxies:
        advice = "name the load balancer in trusted_proxies, else all callers share its limits"
        yield Finding("hint", "public_url is set and no proxy is trusted", advice)
    if settings.open_door:
        yield Finding(
            "hint",
            "every program on this machine may do everything (auth is off on loopback)",
            'before others reach it: auth = "required", then endcap login-link',
        )
