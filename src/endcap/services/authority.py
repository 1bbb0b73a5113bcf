"""The authority: issues access tokens, and says who a presented one stands for."""

import hashlib
from collections import OrderedDict

import msgspec

from endcap.access.signing import signed
from endcap.access.verify import Claims, Expected, unverified_issuer, verify_access_token
from endcap.core.access import Caller
from endcap.core.accounts import Account, Client
from endcap.core.errors import InvalidToken
from endcap.core.ports import Control
from endcap.core.times import SECOND, Clock

from .directory import Directory
from .external import ExternalIssuer
from .keyring import TOKEN_SECONDS, Keyring
from .short_lived import ShortLived

REMEMBERED = 10_000
ACCOUNT = "account:"


class Revocation(msgspec.Struct):
    """A token or grant that counts for nothing any more, until nothing of it can be valid."""

    id: str


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """An access token just issued; `seconds` is its life."""

    token: str
    scopes: frozenset[str]
    seconds: int = TOKEN_SECONDS


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token is for: a client by itself, or an account through a client."""

    shop: str
    client: Client
    account: Account | None = None
    grant: str = ""


class Authority:
    """Issues and checks access tokens. Checked ones are remembered, revocations always count."""

    def __init__(
        self, keyring: Keyring, directory: Directory, control: Control, issuer: str, clock: Clock
    ) -> None:
        self._keyring = keyring
        self._directory = directory
        self._clock = clock
        self.issuer = issuer
        self._revocations = ShortLived(control, "revoked", Revocation, clock)
        self._revoked: set[str] = set()
        self._checked: OrderedDict[str, tuple[Caller, Claims]] = OrderedDict()
        self.external: ExternalIssuer | None = None

    async def load(self) -> None:
        """Read the revocations; replicas do it again and again."""
        self._revoked = set(await self._revocations.all())

    def issue(self, subject: Subject, scopes: frozenset[str], token_id: str) -> Issued:
        """A token for exactly these scopes, which the caller has checked already."""
        now = self._clock() // SECOND
        client, account = subject.client, subject.account
        claims: dict[str, str | int] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": client.id if account is None else ACCOUNT + account.name,
            "client_id": client.id,
            "shop": subject.shop,
            "scope": " ".join(sorted(scopes)),
            "epoch": client.epoch if account is None else account.epoch,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": token_id,
        }
        if subject.grant:
            claims["grant"] = subject.grant
        return Issued(token=signed(claims, self._keyring.current()), scopes=scopes)

    def caller(self, token: str) -> Caller:
        """Who presents this token. Raises InvalidToken."""
        name = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        known = self._checked.get(name)
        now = self._clock() // SECOND
        if known is None:
            if self.external is not None and unverified_issuer(token) not in ("", self.issuer):
                return self.external.caller(token, now)
            claims = verify_access_token(token, self._expected(), now)
            known = (self._caller(claims), claims)
            self._checked[name] = known
            if len(self._checked) > REMEMBERED:
                self._checked.popitem(last=False)
        caller, claims = known
        if claims.expires <= now or self._is_revoked(claims):
            raise InvalidToken("the token has expired or was revoked")
        scopes = caller.scopes & self._may_have(caller.shop, claims)
        if scopes == caller.scopes:
            return caller
        return msgspec.structs.replace(caller, scopes=scopes)

    def claims(self, token: str) -> Claims | None:
        """What a token says, if it is valid now; for introspection and revocation."""
        try:
            claims = verify_access_token(token, self._expected(), self._clock() // SECOND)
            self._may_have(str(claims.all.get("shop", "")), claims)
        except InvalidToken:
            return None
        return None if self._is_revoked(claims) else claims

    async def revoke(self, name: str, until: int) -> None:
        """Make a token id or grant count for nothing until then (UTC milliseconds)."""
        self._revoked.add(name)
        await self._revocations.add(name, Revocation(name), until)

    def is_revoked(self, name: str) -> bool:
        """Whether a token id or grant counts for nothing any more."""
        return name in self._revoked

    async def sweep(self) -> None:
        """Purge revocations of what has expired anyway."""
        await self._revocations.sweep()
        await self.load()

    def _expected(self) -> Expected:
        return Expected(issuer=self.issuer, audience=self.issuer, keys=self._keyring.public())

    def _caller(self, claims: Claims) -> Caller:
        shop = claims.all.get("shop")
        if not isinstance(shop, str) or shop not in self._directory.shops:
            raise InvalidToken("the token is for no shop of this installation")
        person = claims.subject.startswith(ACCOUNT)
        return Caller(
            kind="account" if person else "client",
            name=claims.subject.removeprefix(ACCOUNT),
            shop=shop,
            scopes=claims.scopes,
        )

    def _may_have(self, shop: str, claims: Claims) -> frozenset[str]:
        """What the subject may have now: roles, clients and epochs change while a token lives."""
        client = self._directory.find(shop, Client, claims.client)
        epoch = claims.all.get("epoch")
        if client is None or client.disabled:
            raise InvalidToken("the token's client is not there any more")
        if not claims.subject.startswith(ACCOUNT):
            if epoch != client.epoch or claims.subject != client.id:
                raise InvalidToken("the token was made before the client's access was renewed")
            return frozenset(client.scopes)
        account = self._directory.find(shop, Account, claims.subject.removeprefix(ACCOUNT))
        if account is None or account.disabled or epoch != account.epoch:
            raise InvalidToken("the token's account is not there any more")
        return self._directory.scopes_of(shop, account.roles) & frozenset(client.scopes)

    def _is_revoked(self, claims: Claims) -> bool:
        grant = claims.all.get("grant")
        return claims.token_id in self._revoked or (grant is not None and grant in self._revoked)
