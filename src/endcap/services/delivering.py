"""Delivering webhooks: whatever is due, signed, each endpoint on its own, at least once."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from endcap.access.webhooks import signatures
from endcap.core.errors import EndcapError, NotFound
from endcap.core.times import HOUR, SECOND, Clock
from endcap.core.webhook import Delivery, Outcome

from .webhooks import Webhooks

LOG = logging.getLogger(__name__)
Send = Callable[[str, bytes, Mapping[str, str]], Outcome]
"""Sends a body to a URL (blocking); raises nothing."""
LOOK_SECONDS = 2.0
SWEEP = HOUR
SENDERS = 4
AT_ONCE = 50
GONE = 410


class Deliverer:
    """Sends what waits. Threads of its own, so that slow receivers hold up nobody else."""

    def __init__(self, webhooks: Webhooks, send: Send, clock: Clock) -> None:
        self._webhooks = webhooks
        self._send = send
        self._clock = clock
        self._threads = ThreadPoolExecutor(SENDERS, "endcap-webhooks")
        self._swept = 0
        self._busy: set[tuple[str, str]] = set()

    async def run(self, shops: Sequence[str], leads: Callable[[], bool]) -> None:
        """Go on until cancelled; of several processes the one that `leads`."""
        tasks: set[asyncio.Task[int]] = set()
        try:
            while True:
                added = self._webhooks.outbox.added
                added.clear()
                if leads():
                    tasks |= await self._begin(shops)
                    tasks = {task for task in tasks if not task.done()}
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await added.wait()
                except TimeoutError:
                    continue
        finally:
            for task in tasks:
                task.cancel()
            self.close()

    def close(self) -> None:
        """End the threads; what is being sent ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def once(self, shop: str) -> int:
        """Try everything that is due in a shop; return how much that was."""
        due = await self._webhooks.outbox.due(shop)
        return sum(await asyncio.gather(*(self._to(shop, n, d) for n, d in due.items())))

    async def _begin(self, shops: Sequence[str]) -> set[asyncio.Task[int]]:
        """Start on every endpoint that has something due and is not being sent to already."""
        loop = asyncio.get_running_loop()
        begun: set[asyncio.Task[int]] = set()
        try:
            for shop in shops:
                for name, due in (await self._webhooks.outbox.due(shop)).items():
                    if (shop, name) not in self._busy:
                        begun.add(loop.create_task(self._to(shop, name, due)))
            if self._clock() - self._swept > SWEEP:
                self._swept = self._clock()
                for shop in shops:
                    await self._webhooks.outbox.sweep(shop)
        except EndcapError as error:
            LOG.warning("webhooks have to wait: %s", error.detail)
        return begun

    async def _to(self, shop: str, name: str, due: Sequence[Delivery]) -> int:
        self._busy.add((shop, name))
        tried = 0
        try:
            for delivery in due[:AT_ONCE]:
                if not await self._try(shop, delivery):
                    break  # the endpoint fails: the others wait behind it
                tried += 1
        except EndcapError as error:
            LOG.warning("a webhook has to wait: %s", error.detail)
        finally:
            self._busy.discard((shop, name))
            if tried:
                self._webhooks.outbox.added.set()  # something may have come in meanwhile
        return tried

    async def _try(self, shop: str, delivery: Delivery) -> bool:
        """Whether it was taken. Raises EndcapError of the store."""
        outbox = self._webhooks.outbox
        try:
            endpoint = await self._webhooks.get(shop, delivery.endpoint)
        except NotFound:
            await outbox.drop(shop, delivery.endpoint)
            return False
        if endpoint.disabled:
            await outbox.tried(shop, delivery, Outcome(problem="the webhook is disabled"))
            return False
        seconds = self._clock() // SECOND
        body = delivery.body.encode()
        try:
            signed = signatures(self._webhooks.secrets(endpoint), delivery.id, seconds, body)
        except ValueError:
            outcome = Outcome(problem="its secret cannot be read; renew it")
        else:
            headers = {
                "content-type": "application/json",
                "webhook-id": delivery.id,
                "webhook-timestamp": str(seconds),
                "webhook-signature": signed,
            }
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(
                self._threads, self._send, endpoint.url, body, headers
            )
        after = await outbox.tried(shop, delivery, outcome)
        if outcome.status == GONE:
            await self._webhooks.switch_off(shop, endpoint.id, "the receiver answered 410 Gone")
        if after.state == "dead":
            LOG.warning("a webhook was given up", extra={"webhook": endpoint.id})
        return after.state == "delivered"
