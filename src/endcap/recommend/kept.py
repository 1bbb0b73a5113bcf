"""What was worked out for slates before and still holds, under one snapshot: badges and reasons."""

from collections import OrderedDict
from typing import NamedTuple

from endcap.core.answer import Badge, Reason
from endcap.core.merchant import BadgeSettings

MAX_BADGES = 50_000
MAX_REASONS = 20_000


class Lasting(NamedTuple):
    """A product's badges that hold from `made` to `until`, if it stays at `version`.

    `low` says that its stock may be low: that badge tells the time, so it is made anew.
    """

    version: int
    made: int
    until: int
    low: bool
    first: tuple[Badge, ...]
    last: tuple[Badge, ...]


class KeptBadges:
    """Badges of the products shown lately, as the settings of now make them."""

    def __init__(self) -> None:
        self.settings: BadgeSettings | None = None
        self.opened = 0
        self.by_row: OrderedDict[int | tuple[int, str], Lasting] = OrderedDict()

    def fitting(self, settings: BadgeSettings, opened: int) -> None:
        """Let go of all when the settings, or the day the shop opened, are others."""
        if settings is not self.settings or opened != self.opened:
            self.settings, self.opened = settings, opened
            self.by_row.clear()


class KeptReasons:
    """Reasons that many slates share, by what they say and of which product.

    `mark` is what they are made from beside the snapshot: another one, and they are made anew.
    Nobody may change the counts of a reason that was kept.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[int, Reason]] = OrderedDict()

    def find(self, key: tuple[str, int], mark: int) -> Reason | None:
        """The reason, if it was made from the same."""
        found = self._kept.get(key)
        return None if found is None or found[0] != mark else found[1]

    def keep(self, key: tuple[str, int], mark: int, reason: Reason) -> Reason:
        """Remember the reason, and give it back."""
        self._kept[key] = (mark, reason)
        if len(self._kept) > MAX_REASONS:
            self._kept.popitem(last=False)
        return reason
