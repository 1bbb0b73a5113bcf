"""Consent: what a visitor allows, and what follows from it for one request."""

from typing import Literal, NamedTuple, get_args

import msgspec

Choice = Literal["granted", "denied", "unknown"]
CHOICES: tuple[str, ...] = get_args(Choice)
PURPOSES = ("analytics", "personalisation", "sharing")


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A choice per purpose.

    `analytics`: events are kept under the visitor's pseudonym. `personalisation`: what the visitor
    did decides what is shown. `sharing`: data may be sold or shared with others (CCPA); Endcap
    itself does neither, the choice is kept for the shop to obey.
    """

    analytics: Choice = "unknown"
    personalisation: Choice = "unknown"
    sharing: Choice = "unknown"


UNKNOWN = Consent()


class Allowed(NamedTuple):
    """What may be done for one request."""

    analytics: bool
    personalisation: bool
    sharing: bool


EVERYTHING = Allowed(True, True, True)


def decide(stored: Consent, asked: Consent, unknown: bool) -> Allowed:
    """A denial anywhere counts; else a grant; else `unknown`, the shop's policy."""
    return Allowed(*(_one(stored, asked, purpose, unknown) for purpose in PURPOSES))


def _one(stored: Consent, asked: Consent, purpose: str, unknown: bool) -> bool:
    said = (getattr(stored, purpose), getattr(asked, purpose))
    if "denied" in said:
        return False
    return "granted" in said or unknown


class ConsentView(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a visitor's choices; `version` 0 means nothing."""

    consent: Consent
    version: int
    updated_at: int | None
