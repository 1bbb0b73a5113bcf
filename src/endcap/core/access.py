"""Who may do what: scopes, the roles made of them, and the caller of a request."""

from typing import Literal

import msgspec

SCOPES = {
    "events:write": "Send events.",
    "recommendations:read": "Ask for recommendations.",
    "catalogue:read": "Read products.",
    "catalogue:write": "Change, import and delete products.",
    "rules:edit": "Draft placements, rules and other control data.",
    "rules:publish": "Make control data live.",
    "experiments:edit": "Set up and end experiments.",
    "reports:read": "Read reports, audits and explanations.",
    "privacy:erase": "Answer privacy requests: export, erase, anonymise, consent.",
    "visitors:write": "Merge visitors at login; read and correct their profiles.",
    "builds:run": "Start builds.",
    "accounts:admin": "Manage accounts, clients, keys, roles and signing keys.",
}
"""Every scope with a sentence."""

EVERY_SCOPE = frozenset(SCOPES)
BROWSER_SCOPES = frozenset({"events:write", "recommendations:read"})
"""What a publishable key may do, and nothing else."""

_VIEWER = frozenset({"catalogue:read", "recommendations:read"})
_ANALYST = _VIEWER | {"reports:read"}
_MERCHANDISER = _ANALYST | {"rules:edit", "experiments:edit"}
_PUBLISHER = _MERCHANDISER | {"rules:publish", "catalogue:write", "builds:run"}
ROLES: dict[str, frozenset[str]] = {
    "viewer": _VIEWER,
    "analyst": _ANALYST,
    "merchandiser": _MERCHANDISER,
    "publisher": _PUBLISHER,
    "admin": EVERY_SCOPE,
}
"""The built-in roles; a shop can add its own."""

SYSTEM = "*"
"""The shop of control data that belongs to the installation."""

CallerKind = Literal["local", "key", "browser", "client", "account", "anonymous"]


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a request: for which shop, with which scopes.

    `local` is a request on loopback while no authentication is asked for; `browser` came with a
    publishable key, and then `visitor` is the visitor its signed token names, if it brought one.
    """

    kind: CallerKind
    name: str
    shop: str
    scopes: frozenset[str] = frozenset()
    visitor: str | None = None
    session: str | None = None

    @property
    def audited_as(self) -> str:
        """How the audit log names the caller."""
        return f"{self.kind}:{self.name}" if self.name else self.kind
