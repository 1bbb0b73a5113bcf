"""What is asked of accounts, clients, keys and roles, and how they are shown."""

import msgspec


class KeyRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to make. A publishable one needs `origins`; its scopes are fixed."""

    kind: str = "secret"
    title: str = ""
    scopes: list[str] = []
    origins: list[str] = []
    per_minute: int = 0
    visitor_tokens: bool = False
    expires_at: str | None = None


class ClientRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A client to make. `jwks` instead of a secret: it signs with its own key."""

    title: str = ""
    scopes: list[str] = []
    public: bool = False
    redirect_uris: list[str] = []
    jwks: str = ""


class AccountRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An account to make or change; a field left out stays as it is."""

    roles: list[str] | None = None
    password: str | None = None
    disabled: bool | None = None


class RoleRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A role's scopes."""

    scopes: list[str]


class KeyView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key as listed; `key` is there once, when it is made."""

    id: str
    kind: str
    title: str
    scopes: tuple[str, ...]
    origins: tuple[str, ...] = ()
    per_minute: int = 0
    visitor_tokens: bool = False
    expires_at: int | None = None
    key: str | None = None


class ClientView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client as listed; `client_secret` is there once, when it is made."""

    client_id: str
    title: str
    scopes: tuple[str, ...]
    public: bool = False
    redirect_uris: tuple[str, ...] = ()
    disabled: bool = False
    secrets: int = 0
    client_secret: str | None = None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as listed. Times and hashes stay inside."""

    name: str
    roles: tuple[str, ...]
    disabled: bool
    has_password: bool


class VisitorToken(msgspec.Struct, frozen=True):
    """A signed visitor token with its end (UTC seconds)."""

    token: str
    expires_at: int
