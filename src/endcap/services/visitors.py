"""Visitors: merging a browser into a customer at login, and the profile that a shopper can read."""

from collections.abc import Callable, Mapping

import msgspec

from endcap.core.consent import UNKNOWN
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.event import Event
from endcap.core.ids import id_problem
from endcap.core.merchant import Corrections, Profile
from endcap.core.ports import VisitorStore
from endcap.core.times import Clock
from endcap.ingest.identity import merge_events
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.recommend.affinity import profile_of
from endcap.recommend.history import read_history

from .decisions import DecisionService, decision
from .gate import Gate
from .live import LiveState
from .served import Committer

HALF_LIFE_DAYS = 14.0


class VisitorService:
    """What is asked about one visitor by name."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        committer: Committer,
        visitors: VisitorStore,
        pseudonyms: Pseudonyms,
        live: LiveState,
        decisions: DecisionService,
        ticks: tuple[Clock, Callable[[], str]],
        gate: Gate,
    ) -> None:
        self._committer = committer
        self._visitors = visitors
        self._pseudonyms = pseudonyms
        self._live = live
        self._decisions = decisions
        self._clock, self._new_id = ticks
        self._gate = gate

    async def merge(self, shop: str, browser: str, customer: str) -> bool:
        """What the visitor `browser` did since the login before becomes `customer`'s.

        It is in the customer's next answer, and counted as theirs from the next build on. Merging
        again is harmless. False, and nothing is kept, when either does not allow analytics: a merge
        would tie two pseudonyms together. Raises InvalidInput, VisitorErased, StoreUnavailable.
        """
        problems = [id_problem(browser, "/from"), id_problem(customer, "/to")]
        if browser == customer:
            problems.append(FieldProblem("/to", "same", "must be another visitor than `from`"))
        if found := [problem for problem in problems if problem]:
            raise InvalidInput("the visitors cannot be merged", found)
        names = [self._pseudonyms.visitor(shop, one) for one in (browser, customer)]
        for name in names:
            if not (await self._gate.allowed(shop, name, UNKNOWN)).analytics:
                self._gate.check(shop, name)
                return False
        now = self._clock()
        first = Event(
            shop=shop,
            source="endcap",
            event_id=self._new_id(),
            type="merge",
            visitor=names[1],
            occurred_at=now,
            received_at=now,
        )
        pair = merge_events(first, names[0], self._new_id())
        # From here to the commit nothing waits, so neither can begin to be erased in between.
        for name in names:
            self._gate.check(shop, name)
        await self._committer.submit(pair, ())
        await self._visitors.fold(pair)
        return True

    async def profile(self, shop: str, visitor: str) -> Profile:
        """The visitor's affinities as `for_you` reads them. Raises InvalidInput, VisitorErased."""
        name = self._pseudonym(shop, visitor)
        self._gate.check(shop, name)
        known = await self._visitors.recent(shop, name)
        state, now = self._live.state(shop), self._clock()
        trail = read_history(known, state, now).trail
        return profile_of(trail, state, HALF_LIFE_DAYS, state.merchant.corrections_of(name))

    async def correct(self, shop: str, visitor: str, change: Mapping[str, object]) -> Profile:
        """Apply a merge patch to the visitor's corrections; the profile as it is then.

        Raises InvalidInput naming the field, or VisitorErased.
        """
        name = self._pseudonym(shop, visitor)
        self._gate.check(shop, name)
        before = self._live.state(shop).merchant.corrections_of(name)
        fields = msgspec.to_builtins(before)
        if "muted" in change:
            fields["muted"] = change["muted"] or []
        weights = change.get("weights", {})
        if isinstance(weights, Mapping):
            merged = {**fields.get("weights", {}), **weights}
            fields["weights"] = {k: v for k, v in merged.items() if v is not None}
        elif weights is None:
            fields["weights"] = {}
        else:
            fields["weights"] = weights
        unknown = sorted(set(change) - set(Corrections.__struct_fields__))
        if unknown:
            problem = FieldProblem(f"/{unknown[0]}", "unknown_field", "there is muted and weights")
            raise InvalidInput("the profile cannot be changed", [problem])
        body = msgspec.json.encode(fields)
        await self._decisions.put(shop, decision("profile", name, body, author="visitor"))
        return await self.profile(shop, visitor)

    def _pseudonym(self, shop: str, visitor: str) -> str:
        if problem := id_problem(visitor, "/id"):
            raise InvalidInput("the visitor cannot be found", [problem])
        return self._pseudonyms.visitor(shop, visitor)
