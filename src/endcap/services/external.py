"""Tokens of another issuer (an OpenID provider): verified with its keys, roles mapped.

Its keys are fetched in the background: at the start, every quarter of an hour, and when a token
names an unknown one, but then at most once a minute.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from endcap.access.signing import imported_keys
from endcap.access.verify import Expected, VerificationKey, verify_access_token
from endcap.core.access import ROLES, Caller
from endcap.core.accounts import Account, Role
from endcap.core.errors import EndcapError, InvalidToken
from endcap.core.times import MINUTE, SECOND, Clock

from .directory import Directory
from .people import Identity

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


class Endpoints(msgspec.Struct):
    """What the issuer's discovery document says; the defaults are its specification's."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )


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
        self.endpoints: Endpoints | None = None

    @property
    def name(self) -> str:
        """The issuer's address."""
        return self._issuer.name

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
        account = self._directory.find(issuer.shop, Account, self._account(claims.subject))
        if account is not None and account.disabled:
            raise InvalidToken("the account is disabled")
        roles = self._roles(claims.all)
        return Caller(
            kind="account",
            name=f"{claims.subject}@{issuer.name}",
            shop=issuer.shop,
            scopes=self._directory.scopes_of(issuer.shop, roles),
        )

    async def identity(self, token: str, client: str, nonce: str) -> Identity:
        """Who an ID token for `client` is about. Raises InvalidToken."""
        try:
            return self._identity(token, client, nonce)
        except InvalidToken:
            self._wanted = True  # perhaps by a key that is new
            await self.tend()
            return self._identity(token, client, nonce)

    def _identity(self, token: str, client: str, nonce: str) -> Identity:
        issuer = self._issuer
        expected = Expected(
            issuer=issuer.name,
            audience=client,
            keys=self._keys,
            typ=None,
            required=("sub", "nonce"),
            max_life=MAX_LIFE,
        )
        claims = verify_access_token(token, expected, self._clock() // SECOND).all
        if not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
            raise InvalidToken("the ID token answers another sign-in")
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if several else client) != client:
            raise InvalidToken("the ID token was made for another client")
        known = [
            role
            for role in self._roles(claims)
            if role in ROLES or self._directory.find(issuer.shop, Role, role) is not None
        ]
        return Identity(
            shop=issuer.shop,
            name=self._account(claims["sub"]),
            issuer=issuer.name,
            roles=tuple(dict.fromkeys(known)),
        )

    def _roles(self, claims: dict[str, Any]) -> list[str]:
        theirs = _texts(_claim(claims, self._issuer.claim))
        return [self._issuer.roles.get(role, role) for role in theirs]

    def _account(self, subject: str) -> str:
        """The name of a subject's account: readable where it can be, and never another's."""
        host = re.sub(r"^https?://", "", self._issuer.name).partition("/")[0]
        name = f"{subject}@{host}".replace(":", "_")
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", name) and ":" not in subject:
            return name
        return "oidc-" + hashlib.sha256(f"{self._issuer.name}\0{subject}".encode()).hexdigest()[:32]

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
            found = msgspec.json.decode(about, type=Endpoints)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EndcapError("its discovery document cannot be read") from error
        if found.issuer != self._issuer.name:
            raise EndcapError("its discovery document is of another issuer")
        self._keys = imported_keys(self._fetch(found.jwks_uri))
        self.endpoints = found


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
