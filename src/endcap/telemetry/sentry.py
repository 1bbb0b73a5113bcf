"""Errors to Sentry, or to whatever speaks its protocol: kinds and places, never values.

Of the SDK only the client is used: no integrations, no breadcrumbs, no local variables, no request
data. It runs in the outlet's thread, and so does its transport.
"""

import logging
from collections.abc import Sequence
from typing import Any

from endcap.core.errors import ConfigurationError

from .posting import post
from .shipping import Failure, Line

OFF: dict[str, Any] = {
    "default_integrations": False,
    "auto_enabling_integrations": False,
    "auto_session_tracking": False,
    "send_client_reports": False,
    "include_local_variables": False,
    "include_source_context": False,
    "max_request_body_size": "never",
    "max_breadcrumbs": 0,
    "server_name": "",
}


class Sentry:
    """A project of Sentry. Raises ConfigurationError without the extra or with a bad address."""

    def __init__(self, dsn: str, release: str, environment: str, role: str) -> None:
        try:
            import sentry_sdk
            from sentry_sdk.utils import BadDsn
        except ImportError as error:
            raise ConfigurationError(
                "sentry_dsn: needs the extra: pip install 'endcap[sentry]'"
            ) from error
        self._role = role
        try:
            self._client = sentry_sdk.Client(
                dsn=dsn,
                release=release,
                environment=environment or "production",
                transport=_transport_class(),
                **OFF,
            )
        except BadDsn as error:
            raise ConfigurationError("sentry_dsn: is no address of a Sentry project") from error

    def send(self, lines: Sequence[Line]) -> None:
        """Report them. Raises OSError."""
        for line in lines:
            self._client.capture_event(_event(line, self._role))  # type: ignore[arg-type]


def _event(line: Line, role: str) -> dict[str, Any]:
    tags = {name: str(value) for name, value in line.attributes.items()}
    event: dict[str, Any] = {
        "level": logging.getLevelName(line.level).lower(),
        "logger": line.logger,
        "timestamp": line.at / 1e9,
        "tags": {**tags, "role": role},
        "transaction": tags.get("event.action", ""),
    }
    if line.failure:
        # The chain begins with the error itself; Sentry wants what was first to come first.
        event["exception"] = {"values": [_exception(one) for one in reversed(line.failure)]}
    else:
        event["logentry"] = {"formatted": line.message}
    return event


def _exception(failure: Failure) -> dict[str, Any]:
    module, _, kind = failure.kind.rpartition(".")
    frames = [
        {"filename": file, "lineno": line, "function": function, "in_app": "endcap" in file}
        for file, line, function in failure.frames
    ]
    found: dict[str, Any] = {"type": kind, "module": module, "value": failure.words}
    if frames:
        found["stacktrace"] = {"frames": frames}
    return found


def _transport_class() -> Any:
    from sentry_sdk.transport import Transport

    class Direct(Transport):
        """Sends at once and says when it could not; the outlet has the queue and the thread."""

        def capture_envelope(self, envelope: Any) -> None:
            """Send an envelope. Raises OSError."""
            assert self.parsed_dsn is not None
            auth = self.parsed_dsn.to_auth("endcap")
            headers = {
                "content-type": "application/x-sentry-envelope",
                "x-sentry-auth": auth.to_header(),
            }
            post(auth.get_api_url(), envelope.serialize(), headers)

    return Direct
