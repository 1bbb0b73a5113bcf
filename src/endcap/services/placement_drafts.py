"""Drafts of placements: one per placement, kept as versions, live only when published."""

from endcap.core.errors import NotFound
from endcap.core.placement import Placement
from endcap.core.ports import Control
from endcap.core.status import PlacementView
from endcap.core.times import Clock

from .placements import PlacementService
from .versions import Edit, Versions


class PlacementDrafts:
    """Reads and writes drafts; publishing goes through the placements."""

    def __init__(self, control: Control, placements: PlacementService, clock: Clock) -> None:
        self._versions = Versions(control, "placement_draft", Placement, clock)
        self._placements = placements

    async def names(self, shop: str) -> list[str]:
        """Placements that have a draft."""
        return [record.name for record in await self._versions.latest(shop)]

    async def get(self, shop: str, name: str) -> PlacementView | None:
        """The draft of a placement; None when there is none."""
        try:
            record = await self._versions.get(shop, name)
        except NotFound:
            return None
        placement = self._versions.decode(record.body)
        return PlacementView(
            name, record.version, placement, record.author, record.note, record.created_at
        )

    async def put(self, shop: str, name: str, body: bytes, author: str) -> Placement:
        """Check and keep a draft; nothing of it is live. Raises InvalidInput."""
        placement = self._placements.checked(name, body)
        await self._versions.append(shop, name, placement, Edit(author=author))
        return placement

    async def discard(self, shop: str, name: str, author: str) -> None:
        """Drop the draft; what is live stays."""
        if await self.get(shop, name) is not None:
            await self._versions.append(shop, name, None, Edit(author=author))
