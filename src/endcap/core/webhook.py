"""Webhooks: notices of what happened, to whom they go, and what became of each delivery."""

from typing import Literal

import msgspec

NOTICES = {
    "erasure.verified": "An erasure is done and checked; with its receipt.",
    "snapshot.built": "A build is done and its snapshot is served.",
    "snapshot.failed": "A build failed; the snapshot before it is still served.",
    "rule.published": "A rule was published, rolled back or taken out.",
    "placement.changed": "A placement was changed or deleted.",
    "experiment.started": "An experiment began.",
    "experiment.stopped": "An experiment ended.",
    "stock.low": "A product's stock fell to the installation's `low_stock` or below it.",
    "alert.raised": "Something needs a person: an erasure that does not go on.",
    "webhook.test": "Asked for, to see that a webhook arrives.",
}
"""Every notice with a sentence."""

EVERY = "*"
State = Literal["waiting", "delivered", "dead"]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where notices go. `secrets` are sealed, the newest last; `expires_at` ends an older one."""

    id: str
    url: str
    events: tuple[str, ...] = (EVERY,)
    title: str = ""
    secrets: tuple["SigningSecret", ...] = ()
    disabled: bool = False
    reason: str = ""
    created_at: int = 0

    def wants(self, notice: str) -> bool:
        """Whether notices of this kind go there."""
        return not self.disabled and (EVERY in self.events or notice in self.events)


class SigningSecret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sealed secret (base64); it signs until `expires_at` (UTC milliseconds)."""

    sealed: str
    expires_at: int | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try: when, what was answered (0: nothing) and what went wrong."""

    at: int
    status: int = 0
    problem: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notice on its way to one endpoint; `id` is its `webhook-id`, the same in every try."""

    id: str
    endpoint: str
    event: str
    body: str
    created_at: int
    state: State = "waiting"
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    next_at: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What sending led to: a status, or 0 with the problem."""

    status: int = 0
    problem: str = ""


class EndpointRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A webhook to make."""

    url: str
    events: list[str] = msgspec.field(default_factory=lambda: [EVERY])
    title: str = ""


class EndpointChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A change of a webhook; what is left out stays."""

    url: str | None = None
    events: list[str] | None = None
    title: str | None = None
    disabled: bool | None = None


class EndpointView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook as listed; `secret` is there once, when it is made."""

    id: str
    url: str
    events: tuple[str, ...]
    title: str
    disabled: bool
    created_at: int
    waiting: int
    reason: str | None = None
    secret: str | None = None


class DeliveryPage(msgspec.Struct, frozen=True):
    """Deliveries, what waits first and then the newest; `next_cursor` asks for older ones."""

    data: list[Delivery]
    next_cursor: str | None
    has_more: bool
