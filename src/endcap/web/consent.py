"""What a request says of consent: its `consent` parameter and the Global Privacy Control signal."""

from collections.abc import Iterable

import msgspec

from endcap.core.consent import CHOICES, PURPOSES, UNKNOWN, Consent
from endcap.core.errors import FieldProblem, InvalidInput

from .call import Call
from .operations import Parameter

CONSENT = Parameter(
    "consent",
    "What the visitor allows for this request, like `analytics:granted,personalisation:denied`; "
    "purposes are analytics, personalisation, sharing. A denial kept for the visitor stays one.",
)


def said(call: Call) -> Consent:
    """The choices this request makes. Raises InvalidInput naming what cannot be read."""
    values = call.query().get("consent")
    consent = _parsed(values[-1]) if values else UNKNOWN
    if has_signal(call):
        consent = msgspec.structs.replace(consent, sharing="denied")
    return consent


def has_signal(call: Call) -> bool:
    """Whether the browser sends `Sec-GPC: 1`; the answer then says so too."""
    return call.request.headers.get("sec-gpc") == "1"


async def honour(call: Call, visitors: Iterable[str | None]) -> None:
    """Keep the signal for the visitors that the request names."""
    if has_signal(call):
        for visitor in {name for name in visitors if name}:
            await call.services.privacy.signal(call.shop, visitor)


def merged(asked: Consent, more: Consent) -> Consent:
    """Two ways of saying it in one request: a denial in either counts."""
    return Consent(
        **{
            name: "denied" if "denied" in both else both[0] if both[0] != "unknown" else both[1]
            for name in PURPOSES
            for both in [(getattr(asked, name), getattr(more, name))]
        }
    )


def _parsed(text: str) -> Consent:
    choices: dict[str, str] = {}
    for part in text.split(","):
        purpose, _, choice = part.partition(":")
        if purpose not in PURPOSES or choice not in CHOICES or purpose in choices:
            message = f"must be like analytics:denied; purposes are {', '.join(PURPOSES)}"
            problem = FieldProblem("/query/consent", "invalid", message)
            raise InvalidInput("the consent cannot be read", [problem])
        choices[purpose] = choice
    return msgspec.convert(choices, Consent)
