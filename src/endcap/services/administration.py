"""Making and changing accounts, clients, keys and roles: checked, and secrets shown once."""

import re
from collections.abc import Sequence

import msgspec

from endcap.access.keys import digest, new_key, new_secret
from endcap.access.signing import imported_keys
from endcap.access.visitor_tokens import MAX_LIFE, new_visitor_token
from endcap.core.access import BROWSER_SCOPES, ROLES, SCOPES, Caller
from endcap.core.access_requests import (
    AccountRequest,
    AccountView,
    ClientRequest,
    ClientView,
    KeyRequest,
    KeyView,
    RoleRequest,
    VisitorToken,
)
from endcap.core.accounts import Account, Client, ClientSecret, Key, Role
from endcap.core.errors import FieldProblem, Forbidden, InvalidInput, VersionConflict
from endcap.core.ids import id_problem
from endcap.core.times import SECOND, parse_time

from .security import Security

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
MAX_SECRETS = 2


class Administration:
    """Acts for a caller, who can give away no more than it has."""

    def __init__(self, security: Security) -> None:
        self._security = security
        self._directory = security.directory

    async def make_key(self, by: Caller, request: KeyRequest) -> KeyView:
        """A new key; its text is in this answer only. Raises InvalidInput, Forbidden."""
        problems: list[FieldProblem] = []
        if request.kind not in ("secret", "publishable"):
            problems.append(FieldProblem("/kind", "not_allowed", "must be secret or publishable"))
        public = request.kind == "publishable"
        scopes = sorted(BROWSER_SCOPES) if public and not request.scopes else request.scopes
        _check_scopes(scopes, BROWSER_SCOPES if public else frozenset(SCOPES), problems)
        for place, origin in enumerate(request.origins):
            if not _ORIGIN.fullmatch(origin):
                message = "must be like https://shop.example.com, without a path"
                problems.append(FieldProblem(f"/origins/{place}", "invalid", message))
        if public != bool(request.origins):
            message = "a publishable key needs some; a secret key has none"
            problems.append(FieldProblem("/origins", "missing", message))
        if not 0 <= request.per_minute <= 10_000_000:
            problems.append(FieldProblem("/per_minute", "out_of_range", "must be 0 to 10,000,000"))
        expires = _moment(request.expires_at, problems)
        _raise(problems)
        _check_given(by, scopes)
        made = new_key("publishable" if public else "secret")
        key = Key(
            id=made.id,
            kind="publishable" if public else "secret",
            digest=made.digest,
            title=request.title[:200],
            scopes=tuple(scopes),
            origins=tuple(request.origins),
            per_minute=request.per_minute,
            visitor_tokens=request.visitor_tokens,
            expires_at=expires,
        )
        await self._directory.put(by.shop, key, by.audited_as)
        return key_view(key, made.text)

    async def make_client(self, by: Caller, request: ClientRequest) -> ClientView:
        """A new client; its secret is in this answer only. Raises InvalidInput, Forbidden."""
        problems: list[FieldProblem] = []
        _check_scopes(request.scopes, frozenset(SCOPES), problems)
        _check_redirects(request.redirect_uris, problems)
        if request.public and not request.redirect_uris:
            message = "a public client can do nothing without them"
            problems.append(FieldProblem("/redirect_uris", "missing", message))
        if request.jwks and not imported_keys(request.jwks.encode()):
            problems.append(FieldProblem("/jwks", "invalid", "has no key that can sign"))
        _raise(problems)
        _check_given(by, request.scopes)
        secret = "" if request.public or request.jwks else new_secret()
        kept = ClientSecret(digest=digest(secret), created_at=self._security.clock())
        client = Client(
            id="cl_" + new_secret()[:20],
            title=request.title[:200],
            scopes=tuple(request.scopes),
            secrets=(kept,) if secret else (),
            jwks=request.jwks,
            public=request.public,
            redirect_uris=tuple(request.redirect_uris),
        )
        await self._directory.put(by.shop, client, by.audited_as)
        return client_view(client, secret)

    async def renew_secret(self, by: Caller, name: str) -> ClientView:
        """A second secret beside the one in use, which goes with the next renewal."""
        client = self._directory.get(by.shop, Client, name)
        if client.public or client.jwks:
            raise InvalidInput("this client has no secret")
        secret = new_secret()
        fresh = ClientSecret(digest=digest(secret), created_at=self._security.clock())
        kept = (*client.secrets, fresh)[-MAX_SECRETS:]
        changed = msgspec.structs.replace(client, secrets=kept)
        await self._directory.put(by.shop, changed, by.audited_as, "secret renewed")
        return client_view(changed, secret)

    async def put_account(self, by: Caller, name: str, request: AccountRequest) -> AccountView:
        """Make or change an account. Raises InvalidInput, Forbidden."""
        problems: list[FieldProblem] = []
        if not _NAME.fullmatch(name):
            message = "must be up to 100 letters, digits and . _ @ + -"
            problems.append(FieldProblem("/name", "invalid", message))
        before = self._directory.find(by.shop, Account, name)
        account = before or Account(name=name)
        if request.roles is not None:
            self._check_roles(by.shop, request.roles, problems)
            account = msgspec.structs.replace(account, roles=tuple(request.roles))
        _raise(problems)
        scopes = self._directory.scopes_of(by.shop, (before or account).roles)
        _check_given(by, [*scopes, *self._directory.scopes_of(by.shop, account.roles)])
        if request.disabled is not None:
            account = msgspec.structs.replace(account, disabled=request.disabled)
        if request.password is not None and account.issuer:
            message = f"signs in at {account.issuer}"
            raise InvalidInput(
                "the request cannot be taken", [FieldProblem("/password", "not_allowed", message)]
            )
        if request.password is not None:
            hashed = await self._security.people.hash_of(request.password, (name,))
            account = msgspec.structs.replace(account, password=hashed)
        if before is not None:
            # Whatever was changed, sessions and tokens made before are asked again.
            account = msgspec.structs.replace(account, epoch=before.epoch + 1)
        await self._directory.put(by.shop, account, by.audited_as)
        return account_view(account)

    async def put_role(self, by: Caller, name: str, request: RoleRequest) -> Role:
        """Make or change a role of the shop's own. Raises InvalidInput, Forbidden."""
        problems: list[FieldProblem] = []
        if not _NAME.fullmatch(name) or name in ROLES:
            message = "must be up to 100 letters, digits and . _ @ + -, and no built-in role"
            problems.append(FieldProblem("/name", "invalid", message))
        _check_scopes(request.scopes, frozenset(SCOPES), problems)
        _raise(problems)
        _check_given(by, request.scopes)
        return await self._directory.put(
            by.shop, Role(name=name, scopes=tuple(request.scopes)), by.audited_as
        )

    async def remove_role(self, by: Caller, name: str) -> None:
        """Take out a role that no account has. Raises NotFound, VersionConflict."""
        role = self._directory.get(by.shop, Role, name)
        if any(name in a.roles for a in self._directory.all(by.shop, Account)):
            raise VersionConflict(f"accounts still have the role `{name}`")
        await self._directory.remove(by.shop, Role, role.name, by.audited_as)

    def visitor_token(self, by: Caller, visitor: str, seconds: int) -> VisitorToken:
        """A signed token that says who the visitor is. Raises InvalidInput, Forbidden."""
        if problem := id_problem(visitor, "/visitor"):
            raise InvalidInput("the visitor cannot be named so", [problem])
        if not 1 <= seconds <= MAX_LIFE:
            problem = FieldProblem("/seconds", "out_of_range", f"must be 1 to {MAX_LIFE:,}")
            raise InvalidInput("the token cannot live so long", [problem])
        keys = [k for k in self._directory.all(by.shop, Key) if k.kind == "secret"]
        now = self._security.clock()
        alive = [k for k in keys if k.expires_at is None or k.expires_at > now]
        if not alive:
            raise Forbidden("visitor tokens are signed with a secret key; the shop has none yet")
        expires = now // SECOND + seconds
        mine = next((k for k in alive if by.kind == "key" and k.id == by.name), alive[0])
        return VisitorToken(new_visitor_token(mine.digest, visitor, expires), expires)

    def _check_roles(self, shop: str, roles: Sequence[str], problems: list[FieldProblem]) -> None:
        for place, role in enumerate(roles):
            if role not in ROLES and self._directory.find(shop, Role, role) is None:
                known = ", ".join([*ROLES, *(r.name for r in self._directory.all(shop, Role))])
                problems.append(
                    FieldProblem(f"/roles/{place}", "not_allowed", f"there are {known}")
                )


def key_view(key: Key, text: str | None = None) -> KeyView:
    """A key without its digest."""
    return KeyView(
        id=key.id,
        kind=key.kind,
        title=key.title,
        scopes=key.scopes,
        origins=key.origins,
        per_minute=key.per_minute,
        visitor_tokens=key.visitor_tokens,
        expires_at=key.expires_at,
        key=text,
    )


def client_view(client: Client, secret: str = "") -> ClientView:
    """A client without its digests."""
    return ClientView(
        client_id=client.id,
        title=client.title,
        scopes=client.scopes,
        public=client.public,
        redirect_uris=client.redirect_uris,
        disabled=client.disabled,
        secrets=len(client.secrets),
        client_secret=secret or None,
    )


def account_view(account: Account) -> AccountView:
    """An account without its hash."""
    return AccountView(
        name=account.name,
        roles=account.roles,
        disabled=account.disabled,
        has_password=bool(account.password),
    )


def _check_scopes(
    scopes: Sequence[str], allowed: frozenset[str], problems: list[FieldProblem]
) -> None:
    for place, scope in enumerate(scopes):
        if scope not in allowed:
            known = ", ".join(sorted(allowed))
            problems.append(FieldProblem(f"/scopes/{place}", "not_allowed", f"there are {known}"))
    if not scopes:
        problems.append(FieldProblem("/scopes", "missing", "name at least one scope"))


def _check_given(by: Caller, scopes: Sequence[str]) -> None:
    beyond = sorted(set(scopes) - by.scopes)
    if beyond:
        raise Forbidden(f"you cannot give or take what you do not have: {', '.join(beyond)}")


def _check_redirects(uris: Sequence[str], problems: list[FieldProblem]) -> None:
    for place, uri in enumerate(uris):
        local = re.fullmatch(r"http://(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?/[!-~]*", uri)
        secure = re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?/[!-~]*", uri)
        if not (local or secure) or "#" in uri or "@" in uri or "\\" in uri or len(uri) > 1_000:
            message = "must be https://host/path, or http on loopback, without a fragment"
            problems.append(FieldProblem(f"/redirect_uris/{place}", "invalid", message))


def _moment(text: str | None, problems: list[FieldProblem]) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        message = "must be ISO 8601, like 2027-01-31T12:00:00Z"
        problems.append(FieldProblem("/expires_at", "invalid", message))
        return None


def _raise(problems: list[FieldProblem]) -> None:
    if problems:
        raise InvalidInput("the request cannot be taken", problems)
