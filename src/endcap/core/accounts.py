"""Accounts, clients, keys and roles as control data. Secrets are kept as digests only."""

from typing import Literal

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person. `password` is an argon2id hash; empty: signs in elsewhere or by a link.

    `epoch` goes up to end all sessions and tokens made before. With an `issuer` the person signs in
    there only, and brings the roles along.
    """

    name: str
    roles: tuple[str, ...] = ()
    password: str = ""
    disabled: bool = False
    epoch: int = 0
    issuer: str = ""


class ClientSecret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The digest of one of a client's secrets. Times are UTC milliseconds."""

    digest: str
    created_at: int
    expires_at: int | None = None


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A program: a server (with secrets or a JWKS) or a tool that people sign in to.

    `public` clients (tools on a person's machine) have no secret and use PKCE alone. `scopes` is
    the most it is ever given. `redirect_uris` are compared exactly; none: no code flow.
    """

    id: str
    title: str = ""
    scopes: tuple[str, ...] = ()
    secrets: tuple[ClientSecret, ...] = ()
    jwks: str = ""
    public: bool = False
    redirect_uris: tuple[str, ...] = ()
    disabled: bool = False
    epoch: int = 0


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A static key. A publishable one works from its `origins` only.

    `per_minute` is its quota of events and answers, 0: the installation's. With
    `visitor_tokens` a publishable key works only for the visitor of a signed visitor token.
    """

    id: str
    kind: Literal["secret", "publishable"]
    digest: str
    title: str = ""
    scopes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    per_minute: int = 0
    visitor_tokens: bool = False
    expires_at: int | None = None


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role of the shop's own."""

    name: str
    scopes: tuple[str, ...] = ()
