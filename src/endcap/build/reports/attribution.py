"""How credit is given; a change makes the rollups anew."""

import msgspec

from endcap.core.times import DAY


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """Windows and exclusions.

    A line is credited to slates touched at most `days` before. `view_through` lets products that
    were only seen earn credit too. A click counts for a slate served at most a day earlier. A
    visitor with more than `heavy` events on a day is taken for a program (0: never).
    """

    days: int = 7
    view_through: bool = False
    heavy: int = 3_000

    def values(self) -> dict[str, int]:
        """The numbers that the kernels take."""
        return {
            "window": self.days * DAY,
            "view_through": int(self.view_through),
            "heavy": self.heavy,
            "slate_life": DAY,
        }
