"""Retention: what is older than its kind may be kept is removed, once a day."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext

from endcap.core.errors import EndcapError
from endcap.core.job import Note
from endcap.core.ports import EventLog, Retained
from endcap.core.times import DAY, Clock, format_time

LOG = logging.getLogger(__name__)
PAUSE_SECONDS = 6 * 3_600


class Retention:
    """Knows how many days each kind is kept; `archive` removes days before a date."""

    def __init__(
        self,
        log: EventLog,
        archive: Callable[[str, str], int],
        days: Mapping[Retained, int],
        clock: Clock,
        note: Note = lambda shop, kind: nullcontext({}),
    ) -> None:
        self._note = note
        self._log = log
        self._archive = archive
        self._days = days
        self._clock = clock

    async def run_once(self, shop: str) -> dict[str, int]:
        """Remove what is over; how much, by kind. 0 days keep for ever."""
        with self._note(shop, "retention") as gone:
            return await self._removed(shop, gone)

    async def _removed(self, shop: str, gone: dict[str, int]) -> dict[str, int]:
        now = self._clock()
        for kind, days in self._days.items():
            if days:
                before = now - days * DAY
                gone[kind] = await asyncio.to_thread(self._log.expire, shop, kind, before)
        if self._days.get("events"):
            first = format_time(now - self._days["events"] * DAY)[:10]
            gone["archive"] = await asyncio.to_thread(self._archive, shop, first)
        return gone

    async def every(self, shop: str, pause: float = PAUSE_SECONDS) -> None:
        """Do it again and again."""
        while True:
            try:
                await self.run_once(shop)
            except EndcapError as error:
                LOG.warning("retention has to wait: %s", error.detail)
            await asyncio.sleep(pause)
