"""How services tell that something happened, without knowing who listens."""

from collections.abc import Mapping
from typing import Any, Protocol


class Announce(Protocol):
    """Tells of a notice (`core.webhook.NOTICES`)."""

    async def __call__(
        self, shop: str, notice: str, data: Mapping[str, Any], about: str = ""
    ) -> None:
        """Keep it for whoever wants it; raises nothing.

        With `about` it is told once, however often this is called, and what goes wrong is raised
        (StoreUnavailable), so that the caller can do it again.
        """


async def to_nobody(shop: str, notice: str, data: Mapping[str, Any], about: str = "") -> None:
    """While nobody listens."""
