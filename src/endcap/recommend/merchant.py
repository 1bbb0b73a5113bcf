"""The shop's decisions in memory, as the request path reads them."""

from endcap.core.merchant import NO_CORRECTIONS, BadgeSettings, Corrections, CuratedList


class Merchant:
    """Lists, badge settings and shoppers' corrections of one shop; kept when a snapshot comes."""

    def __init__(self) -> None:
        self.lists: dict[str, CuratedList] = {}
        self.badges = BadgeSettings()
        self.corrections: dict[str, Corrections] = {}

    def corrections_of(self, visitor: str | None) -> Corrections:
        """What a visitor (a pseudonym) said of their profile."""
        return self.corrections.get(visitor, NO_CORRECTIONS) if visitor else NO_CORRECTIONS
