"""The token endpoint's work: client credentials, authorization codes, rotating refresh tokens.

Errors are those of RFC 6749. A code or refresh token that comes a second time ends everything that
was made from it (RFC 9700, section 4.14).
"""

import hmac
from collections.abc import Mapping

import msgspec

from endcap.access.keys import challenge_of, digest, new_secret
from endcap.access.signing import imported_keys
from endcap.access.verify import Claims, Expected, verify_access_token
from endcap.core.accounts import Account, Client
from endcap.core.errors import EndcapError, InvalidInput, InvalidToken
from endcap.core.ports import Control
from endcap.core.times import DAY, SECOND, Clock

from .authority import Authority, Issued, Subject
from .directory import Directory
from .short_lived import ShortLived

CODE_LIFE = 60 * SECOND
REFRESH_LIFE = 30 * DAY
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE = 300


class OAuthError(EndcapError):
    """The authorization server refused; `error` is a code of RFC 6749."""

    status = 400
    code = "oauth_error"
    title = "OAuth error"

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        if error == "invalid_client":
            self.status = 401


class Code(msgspec.Struct, frozen=True):
    """An authorization code; its `grant` is what its tokens will belong to."""

    client: str
    shop: str
    account: str
    epoch: int
    redirect_uri: str
    challenge: str
    scopes: tuple[str, ...]
    grant: str
    used: bool = False


class Grant(msgspec.Struct, frozen=True):
    """A line of refresh tokens; only the newest one counts, and only its digest is kept."""

    client: str
    shop: str
    account: str
    epoch: int
    scopes: tuple[str, ...]
    newest: str


class UsedAssertion(msgspec.Struct, frozen=True):
    """A client assertion that was used."""

    client: str


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `/oauth/token` answers (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET


class Grants:
    """Authenticates clients and serves their grants."""

    def __init__(
        self, authority: Authority, directory: Directory, control: Control, clock: Clock
    ) -> None:
        self._authority = authority
        self._directory = directory
        self._clock = clock
        self._codes = ShortLived(control, "code", Code, clock)
        self._grants = ShortLived(control, "grant", Grant, clock)
        self._assertions = ShortLived(control, "assertion", UsedAssertion, clock)

    async def token(
        self, form: Mapping[str, str], basic: tuple[str, str] | None, endpoint: str
    ) -> TokenAnswer:
        """Serve a token request. Raises OAuthError."""
        shop, client = await self.client(form, basic, endpoint)
        kind = form.get("grant_type", "")
        if kind == "client_credentials":
            return self._by_itself(shop, client, form)
        if kind == "authorization_code":
            return await self._by_code(client, form)
        if kind == "refresh_token":
            return await self._by_refresh(client, form)
        raise OAuthError(
            "unsupported_grant_type", "takes client_credentials, authorization_code, refresh_token"
        )

    async def client(
        self, form: Mapping[str, str], basic: tuple[str, str] | None, endpoint: str
    ) -> tuple[str, Client]:
        """The client that makes the request, authenticated. Raises OAuthError."""
        if "client_assertion" in form:
            return await self._by_assertion(form, endpoint)
        name, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        now, hashed = self._clock(), digest(secret)
        found = self._directory.client(name)
        if found is None or found[1].disabled:
            raise OAuthError("invalid_client", "no such client, or a wrong secret")
        shop, client = found
        if client.public and not secret and basic is None:
            return shop, client
        for kept in client.secrets:
            alive = kept.expires_at is None or kept.expires_at > now
            if alive and hmac.compare_digest(kept.digest, hashed):
                return shop, client
        raise OAuthError("invalid_client", "no such client, or a wrong secret")

    async def new_code(
        self, subject: Subject, redirect_uri: str, challenge: str, scopes: frozenset[str]
    ) -> str:
        """A code for a person's approval of a client."""
        assert subject.account is not None
        code = new_secret()
        value = Code(
            client=subject.client.id,
            shop=subject.shop,
            account=subject.account.name,
            epoch=subject.account.epoch,
            redirect_uri=redirect_uri,
            challenge=challenge,
            scopes=tuple(sorted(scopes)),
            grant=new_secret(),
        )
        await self._codes.add(digest(code), value, self._clock() + CODE_LIFE)
        return code

    async def revoke(self, client: Client, token: str) -> None:
        """Make an access or refresh token of this client count for nothing (RFC 7009)."""
        claims = self._authority.claims(token)
        if claims is not None:
            if claims.client == client.id:
                await self._authority.revoke(claims.token_id, (claims.expires + 60) * SECOND)
            return
        grant, _, _ = token.partition(".")
        held = await self._grants.get(grant)
        if held is not None and held.value.client == client.id:
            await self._end(grant)

    async def sweep(self) -> None:
        """Purge what is over."""
        for kept in (self._codes, self._grants, self._assertions):
            await kept.sweep()

    def _by_itself(self, shop: str, client: Client, form: Mapping[str, str]) -> TokenAnswer:
        if client.public:
            raise OAuthError("unauthorized_client", "a public client has no credentials of its own")
        scopes = _narrowed(form, frozenset(client.scopes))
        subject = Subject(shop=shop, client=client)
        return _answer(self._authority.issue(subject, scopes, new_secret()))

    async def _by_code(self, client: Client, form: Mapping[str, str]) -> TokenAnswer:
        name = digest(form.get("code", ""))
        held = await self._codes.get(name)
        if held is None or held.value.client != client.id:
            raise OAuthError("invalid_grant", "no such code, or its time is over")
        code = held.value
        used = msgspec.structs.replace(code, used=True)
        until = self._clock() + REFRESH_LIFE
        if code.used or not await self._codes.replace(name, used, until, held.version):
            await self._end(code.grant)
            raise OAuthError(
                "invalid_grant", "the code was used before; all made from it has ended"
            )
        if form.get("redirect_uri", "") != code.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was asked with")
        made = challenge_of(form.get("code_verifier", ""))
        if not hmac.compare_digest(made, code.challenge):
            raise OAuthError("invalid_grant", "code_verifier does not fit the code's challenge")
        refresh = code.grant + "." + new_secret()
        grant = Grant(
            code.client, code.shop, code.account, code.epoch, code.scopes, digest(refresh)
        )
        await self._grants.add(code.grant, grant, until)
        return self._for_account(code.grant, grant, client, frozenset(code.scopes), refresh)

    async def _by_refresh(self, client: Client, form: Mapping[str, str]) -> TokenAnswer:
        given = form.get("refresh_token", "")
        name, _, _ = given.partition(".")
        held = await self._grants.get(name) if name else None
        ended = held is None or self._authority.is_revoked(name)
        if held is None or ended or held.value.client != client.id:
            raise OAuthError("invalid_grant", "no such refresh token, or it has ended")
        grant = held.value
        fresh = name + "." + new_secret()
        moved = msgspec.structs.replace(grant, newest=digest(fresh))
        if not hmac.compare_digest(grant.newest, digest(given)) or not await self._grants.replace(
            name, moved, held.until, held.version
        ):
            await self._end(name)
            raise OAuthError(
                "invalid_grant", "the refresh token was used before; its line has ended"
            )
        scopes = _narrowed(form, frozenset(grant.scopes))
        return self._for_account(name, grant, client, scopes, fresh)

    def _for_account(
        self, name: str, grant: Grant, client: Client, scopes: frozenset[str], refresh: str
    ) -> TokenAnswer:
        account = self._directory.find(grant.shop, Account, grant.account)
        if account is None or account.disabled or account.epoch != grant.epoch:
            raise OAuthError("invalid_grant", "the account has ended its sessions")
        allowed = self._directory.scopes_of(grant.shop, account.roles)
        subject = Subject(shop=grant.shop, client=client, account=account, grant=name)
        issued = self._authority.issue(subject, scopes & allowed, new_secret())
        return _answer(issued, refresh)

    async def _end(self, grant: str) -> None:
        """End a grant: its refresh tokens now, its access tokens by revocation."""
        # As long as a refresh token made at the same moment could live.
        await self._authority.revoke(grant, self._clock() + REFRESH_LIFE)
        await self._grants.drop(grant)

    async def _by_assertion(self, form: Mapping[str, str], endpoint: str) -> tuple[str, Client]:
        """A client that signs its request with its own key (RFC 7523)."""
        name = form.get("client_id", "")
        if form.get("client_assertion_type") != ASSERTION:
            raise OAuthError("invalid_client", f"client_assertion_type must be {ASSERTION}")
        found = self._directory.client(name)
        if found is None or found[1].disabled or not found[1].jwks:
            raise OAuthError(
                "invalid_client", "no such client with keys; client_id must be sent too"
            )
        shop, client = found
        claims = self._asserted(form["client_assertion"], client, endpoint)
        used = f"{digest(name)[:32]}.{digest(claims.token_id)}"
        until = (claims.expires + 60) * SECOND
        if claims.subject != name or not await self._assertions.add(
            used, UsedAssertion(name), until
        ):
            raise OAuthError(
                "invalid_client", "the client assertion was used before or is for another"
            )
        return shop, client

    def _asserted(self, assertion: str, client: Client, endpoint: str) -> Claims:
        """The claims of an assertion for the token endpoint or for the issuer as a whole."""
        refusal = ""
        for audience in (endpoint, self._authority.issuer):
            try:
                expected = Expected(
                    issuer=client.id,
                    audience=audience,
                    keys=imported_keys(client.jwks.encode()),
                    typ=None,
                    required=("sub", "jti"),
                    max_life=_ASSERTION_LIFE,
                )
                return verify_access_token(assertion, expected, self._clock() // SECOND)
            except (InvalidToken, InvalidInput) as error:
                refusal = error.detail
        raise OAuthError("invalid_client", f"the client assertion is not right: {refusal}")


def _narrowed(form: Mapping[str, str], allowed: frozenset[str]) -> frozenset[str]:
    asked = frozenset(form.get("scope", "").split())
    if not asked <= allowed:
        raise OAuthError("invalid_scope", "asks for more than this client was given")
    return asked or allowed


def _answer(issued: Issued, refresh: str = "") -> TokenAnswer:
    return TokenAnswer(
        access_token=issued.token,
        token_type="Bearer",  # noqa: S106
        expires_in=issued.seconds,
        scope=" ".join(sorted(issued.scopes)),
        refresh_token=refresh or msgspec.UNSET,
    )
