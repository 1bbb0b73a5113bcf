"""Four eyes: what goes live was written by one person and made live by another.

Only for a shop that has switched it on. Taking something out, and going back to what was live
before, stay possible for one person, as they are what one does when something is wrong.
"""

import msgspec

from endcap.core.errors import EndcapError, NotFound
from endcap.core.placement import Placement
from endcap.core.policy import Policy, PolicyView
from endcap.core.ports import Control
from endcap.core.times import Clock

from .placement_drafts import PlacementDrafts
from .placements import PlacementService
from .versions import Edit, Versions

KIND = "policy"
NAME = "shop"
SELF = "endcap"
PERSON = "account:"


class NeedsAnotherPerson(EndcapError):
    """This shop publishes with four eyes: somebody else than the author has to make it live."""

    status = 403
    code = "needs_another_person"
    title = "Needs another person"


class FourEyes:
    """Knows the policies of all shops, and holds authors back."""

    def __init__(
        self,
        control: Control,
        placements: PlacementService,
        drafts: PlacementDrafts,
        clock: Clock,
    ) -> None:
        self._versions = Versions(control, KIND, Policy, clock)
        self._placements = placements
        self._drafts = drafts
        self._policies: dict[str, PolicyView] = {}

    async def load(self, shop: str) -> None:
        """Read the shop's policy into memory."""
        try:
            record = await self._versions.get(shop, NAME)
        except NotFound:
            self._policies.pop(shop, None)
            return
        self._policies[shop] = PolicyView(
            four_eyes=self._versions.decode(record.body).four_eyes,
            version=record.version,
            author=record.author,
            created_at=record.created_at,
        )

    def policy(self, shop: str) -> PolicyView:
        """The shop's policy."""
        return self._policies.get(shop) or PolicyView(four_eyes=False)

    async def put(self, shop: str, policy: Policy, edit: Edit) -> PolicyView:
        """Change the policy; it counts when this returns. Raises VersionConflict."""
        await self._versions.append(shop, NAME, policy, edit)
        await self.load(shop)
        return self.policy(shop)

    def check(self, shop: str, author: str, actor: str) -> None:
        """Whether `actor` may make live what `author` wrote. Raises NeedsAnotherPerson."""
        if not self.policy(shop).four_eyes or actor == SELF:
            return
        if not actor.startswith(PERSON):
            raise NeedsAnotherPerson(
                "this shop publishes with four eyes: a person who is signed in has to make it "
                f"live, not `{actor}`"
            )
        if author.removeprefix(PERSON) == actor.removeprefix(PERSON):
            raise NeedsAnotherPerson(
                "this shop publishes with four eyes: you wrote it, so somebody else with "
                "`rules:publish` has to make it live"
            )

    async def check_placement(self, shop: str, name: str, given: Placement, actor: str) -> None:
        """Whether `actor` may make this placement live. Raises NeedsAnotherPerson.

        It has to be the draft of another person, or what was live before.
        """
        if not self.policy(shop).four_eyes or actor == SELF:
            return
        draft = await self._drafts.get(shop, name)
        if draft is not None and _same(draft.placement, given):
            self.check(shop, draft.author, actor)
            return
        try:
            before = await self._placements.history(shop, name)
        except NotFound:
            before = []
        if not any(_same(version.placement, given) for version in before):
            raise NeedsAnotherPerson(
                "this shop publishes with four eyes: keep it as a draft "
                f"(`PUT /v1/placements/{name}/draft`), and let somebody else publish it"
            )


def _same(one: Placement | None, other: Placement) -> bool:
    return one is not None and msgspec.json.encode(one) == msgspec.json.encode(other)
