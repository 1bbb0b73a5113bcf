"""HTTP POST for telemetry: short patience, nothing kept of the answer."""

import urllib.request
from collections.abc import Mapping

PATIENCE = 5.0
MOST_READ = 65_536


def post(url: str, body: bytes, headers: Mapping[str, str], patience: float = PATIENCE) -> None:
    """Send it. Raises OSError when it was not taken; `url` has been checked to be http(s)."""
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310
        answer.read(MOST_READ)
