"""Access tokens of another issuer (an OpenID provider): verified with its keys, roles mapped.

Its keys are fetched in the background: at the start, every quarter of an hour, and when a token
names an unknown one, but then at most once a minute.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from endcap.access.signing import imported_keys
from endcap.access.verify import Expected, VerificationKey, verify_access_token
from endcap.core.access import Caller
from endcap.core.errors import EndcapError, InvalidToken
from endcap.core.times import MINUTE, Clock

from .directory import Directory

LOG = logging.getLogger(__name__)
Fetch = Callable[[str], bytes]
"""Gets what is at an address (blocking). Raises EndcapError."""
DISCOVERY = "/.well-known/openid-configuration"
MAX_LIFE = 86_400
USUAL, SOONEST = 15 * MINUTE, MINUTE


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is trusted, for which audience, and what its roles (in the claim) mean here.

    A role that `roles` does not name is taken by its own name if there is one like it.
    """

    name: str
    audience: str
    shop: str
    claim: str = "roles"
    roles: Mapping[str, str] = msgspec.field(default_factory=dict)


class ExternalIssuer:
    """Knows the keys of one issuer and who presents its tokens."""

    def __init__(self, issuer: Issuer, directory: Directory, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._directory = directory
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, VerificationKey] = {}
        self._fetched = -USUAL
        self._wanted = True
        self.fetches = 0

    def caller(self, token: str, now: int) -> Caller:
        """Who presents this token; `now` in seconds. Raises InvalidToken."""
        issuer = self._issuer
        expected = Expected(
            issuer=issuer.name,
            audience=issuer.audience,
            keys=self._keys,
            typ=frozenset({"at+jwt", "application/at+jwt"}),
            required=("sub",),
            max_life=MAX_LIFE,
        )
        try:
            claims = verify_access_token(token, expected, now)
        except InvalidToken:
            self._wanted = True  # perhaps by a key that is new
            raise
        theirs = _texts(_claim(claims.all, issuer.claim))
        roles = [issuer.roles.get(role, role) for role in theirs]
        return Caller(
            kind="account",
            name=f"{claims.subject}@{issuer.name}",
            shop=issuer.shop,
            scopes=self._directory.scopes_of(issuer.shop, roles),
        )

    async def tend(self) -> None:
        """Fetch the keys when it is time to."""
        age = self._clock() - self._fetched
        if age < (SOONEST if self._wanted else USUAL):
            return
        self._fetched, self._wanted = self._clock(), False
        try:
            await asyncio.to_thread(self._get)
        except EndcapError as error:
            self._wanted = True
            LOG.warning("the keys of the external issuer cannot be fetched: %s", error.detail)

    def _get(self) -> None:
        self.fetches += 1
        about = self._fetch(self._issuer.name.rstrip("/") + DISCOVERY)
        try:
            found = msgspec.json.decode(about, type=_Discovery)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EndcapError("its discovery document cannot be read") from error
        if found.issuer != self._issuer.name:
            raise EndcapError("its discovery document is of another issuer")
        self._keys = imported_keys(self._fetch(found.jwks_uri))


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


def _claim(claims: dict[str, Any], path: str) -> object:
    """The claim at a path like `realm_access.roles`."""
    value: object = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
