"""Where a request comes from and which host it asks for."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

from endcap.core.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")


def networks(text: str) -> tuple[Network, ...]:
    """Networks separated by commas. Raises ConfigurationError."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(f"trusted_proxies: {error}") from error


def address_of(request: Request, trusted: Sequence[Network]) -> str:
    """The sender's address; `X-Forwarded-For` counts only as far as trusted proxies wrote it.

    IPv6 addresses are cut to their /64, which is what one subscriber has.
    """
    address = request.client.host if request.client else ""
    if trusted and _trusted(address, trusted):
        for part in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            if not part.strip():
                break
            address = part.strip()
            if not _trusted(address, trusted):
                break
    return _cut(address)


def host_of(request: Request) -> str:
    """The host asked for, without port, in lower case."""
    host = request.headers.get("host", "")
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.lower()


def is_local_name(host: str) -> bool:
    """Whether a host name is one that only this machine or its network resolves.

    A page of another site that has its own name resolve to this machine (DNS rebinding) asks for
    its own, dotted name.
    """
    if host in LOOPBACK_NAMES or host.endswith(".localhost") or "." not in host:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local_origin(origin: str) -> bool:
    """Whether a page of this machine says so."""
    scheme, _, host = origin.partition("://")
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return scheme in ("http", "https") and bool(name) and is_local_name(name.lower())


def _trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def _cut(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
