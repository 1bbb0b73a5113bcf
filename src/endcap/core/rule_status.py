"""What the services say of rules: versions, what changed between them, findings, and previews."""

from typing import Any, Literal

import msgspec

from .rule import Rule


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a rule is published; 0 for none."""

    version: int


class Change(msgspec.Struct, frozen=True):
    """One field that differs from the version before."""

    field: str
    before: Any
    after: Any


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a rule. `published` is the version that is live now, None for none.

    `english` is the rule in words, `changes` what differs from the version before.
    """

    name: str
    version: int
    published: int | None
    state: Literal["draft", "published", "changed", "deleted"]
    rule: Rule | None
    english: str
    changes: list[Change]
    author: str
    note: str
    created_at: int


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One step of what was live: a version, or 0 when the rule was taken out."""

    version: int
    author: str
    note: str
    at: int


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something the check found. An `error` keeps the rule from being published."""

    level: Literal["error", "warning"]
    code: str
    message: str
    rules: list[str] = []
    examples: list[str] = []


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the check of a draft found, and over how many recent requests it was tried."""

    publishable: bool
    findings: list[Finding]
    products: int | None
    requests: int
    changed: int
    shorter: int
    empty: int
