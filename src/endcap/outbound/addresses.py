"""Which addresses may be called: public ones, and the private hosts that the settings name.

The rules are strict, as a URL may come from somebody who wants this server to reach what only it
can reach (server-side request forgery): https, usual ports, names or addresses in their one
canonical form, and every address that a name resolves to must be public.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from endcap.core.errors import AddressRefused, ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Sequence[str]]
"""The addresses of a host (blocking). Raises OSError."""
MAX_URL = 2_000
PORTS = {"https": (443, 8443), "http": (80, 8080)}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# A last label of digits or hex makes resolvers read the whole as a number: 2130706433, 0x7f.1.
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# What `is_global` of some Python versions lets through, or what carries another address inside.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # a cloud's metadata at a public address
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "fec0::/10",
    )
)


class Target(NamedTuple):
    """A URL taken apart; `path` has the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return name if self.port == usual else f"{name}:{self.port}"


class PrivateHosts:
    """Hosts of the own network that may be called: `host`, or `host:port` for this port only."""

    def __init__(self, text: str = "") -> None:
        self._any: set[str] = set()
        self._ports: set[tuple[str, int]] = set()
        for part in (one.strip().lower() for one in text.split(",")):
            if not part:
                continue
            found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", part)
            if found is None:
                raise ConfigurationError(f"private_hosts: `{part}` is no host or host:port")
            name = found[1].strip("[]")
            if found[2] is None:
                self._any.add(name)
            else:
                self._ports.add((name, int(found[2])))

    def has(self, host: str, port: int) -> bool:
        """Whether the settings name it."""
        return host in self._any or (host, port) in self._ports


def target_of(url: str, private: PrivateHosts) -> Target:
    """The URL in its parts. Raises AddressRefused; nothing is looked up."""
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused(
            "a URL is up to 2,000 printable ASCII characters, without spaces or \\"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("the URL cannot be read") from error
    if parts.scheme not in PORTS or "://" not in url:
        raise AddressRefused("only https:// addresses are called")
    if "@" in parts.netloc or "#" in url or "%" in parts.netloc:
        raise AddressRefused("the URL must have no user, fragment or encoded host")
    host = _host(parts.netloc, parts.hostname or "")
    port = port if port is not None else PORTS[parts.scheme][0]
    if not private.has(host, port):
        if parts.scheme != "https":
            raise AddressRefused("only https:// addresses are called")
        if port not in PORTS["https"]:
            raise AddressRefused(f"port {port} is not called; use 443 or 8443")
        if (literal := _literal(host)) is not None:
            check_public(literal)
        elif "." not in host:
            raise AddressRefused(f"`{host}` is a name of the own network")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def addresses_of(target: Target, private: PrivateHosts, lookup: Lookup) -> list[str]:
    """Where the host is just now; all of it may be called. Raises AddressRefused, OSError.

    Call one of these and nothing else: a second look-up may say something else.
    """
    found = [ipaddress.ip_address(text.partition("%")[0]) for text in _looked_up(target, lookup)]
    if not found:
        raise AddressRefused(f"`{target.host}` has no address")
    if not private.has(target.host, target.port):
        for address in found:
            check_public(address)
    return [str(address) for address in found]


def check_public(address: Address) -> None:
    """Raises AddressRefused for what is not an ordinary address of the public internet."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise AddressRefused(f"{address} is an IPv4 address in disguise")
    banned = any(address.version == net.version and address in net for net in _NEVER)
    if banned or not address.is_global or address.is_multicast or address.is_reserved:
        raise AddressRefused(f"{address} is not a public address")


def _looked_up(target: Target, lookup: Lookup) -> Sequence[str]:
    literal = _literal(target.host)
    return [str(literal)] if literal is not None else lookup(target.host, target.port)


def _host(netloc: str, host: str) -> str:
    """The host in lower case. Raises AddressRefused for anything but a name or an address."""
    if netloc.startswith("["):
        if _literal(host) is None or netloc.partition("]")[2].partition(":")[0]:
            raise AddressRefused("the URL's host is no IPv6 address")
        return host
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise AddressRefused("the URL's host is no host name")
    literal = _literal(host)
    if _NUMBER.fullmatch(host) and (literal is None or str(literal) != host):
        raise AddressRefused("an address is four decimal numbers, like 192.0.2.1")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
