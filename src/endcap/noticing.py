"""Puts together what this server tells others and fetches from them; part of the composition."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from endcap.access.sealing import Sealer
from endcap.core.errors import CallFailed, EndcapError
from endcap.core.ports import Control
from endcap.core.times import Clock
from endcap.core.webhook import Outcome
from endcap.outbound.addresses import PrivateHosts
from endcap.outbound.calls import Caller, Limits
from endcap.services.builds import BuildService
from endcap.services.catalogue import Changed
from endcap.services.delivering import Deliverer
from endcap.services.erasure import ErasureService
from endcap.services.experiments import ExperimentService
from endcap.services.live import LiveState
from endcap.services.low_stock import LowStock
from endcap.services.placements import PlacementService
from endcap.services.rules import RuleService
from endcap.services.webhooks import Webhooks
from endcap.settings import Settings

HOOK = Limits(seconds=10.0, size=65_536)
FEED_SECONDS = 60.0


class Noticing(msgspec.Struct, frozen=True):
    """Webhooks, what delivers them, and what fetches feeds."""

    webhooks: Webhooks
    deliverer: Deliverer
    fetch: Callable[[str], tuple[str, bytes]]

    def watch_stock(self, live: LiveState, level: int) -> Changed:
        """What the catalogue calls with its changes; 0 watches nothing."""
        return LowStock(live, level, self.webhooks.announce).changed if level else live.changed

    def listen(
        self,
        *services: RuleService
        | PlacementService
        | ExperimentService
        | BuildService
        | ErasureService,
    ) -> None:
        """Have these services tell."""
        for service in services:
            service.announce = self.webhooks.announce

    def work(self, shops: list[str], leads: Callable[[], bool]) -> list[Coroutine[Any, Any, None]]:
        """What runs in the background of a process that leads."""
        return [self.deliverer.run(shops, leads)]


def noticing_of(
    settings: Settings, control: Control, secret: bytes, new_id: Callable[[], str], clock: Clock
) -> Noticing:
    """Webhooks and feeds over a guarded caller. Raises ConfigurationError for `private_hosts`."""
    caller = Caller(PrivateHosts(settings.private_hosts))
    webhooks = Webhooks(control, Sealer(secret, "webhooks"), caller.check, new_id, clock)

    def send(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        try:
            return Outcome(caller.post(url, body, headers, HOOK).status)
        except EndcapError as error:
            return Outcome(problem=error.detail)

    def fetch(url: str) -> tuple[str, bytes]:
        """The content type and content of a feed. Raises AddressRefused, CallFailed."""
        reply = caller.get(url, Limits(FEED_SECONDS, settings.max_import_body, whole=True))
        if reply.status != 200:
            raise CallFailed(f"the feed's server answered {reply.status}, not 200")
        return reply.headers.get("content-type", ""), reply.content

    return Noticing(webhooks, Deliverer(webhooks, send, clock), fetch)
