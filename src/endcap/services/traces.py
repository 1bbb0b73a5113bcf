"""Why, why not, and again: what is behind a slate that was served."""

import asyncio
from typing import Any, NamedTuple

import msgspec

from endcap.core.errors import NotFound
from endcap.core.event import Event, Inputs, VisitorState
from endcap.core.ports import EventLog
from endcap.core.request import RecommendationRequest
from endcap.recommend.history import SESSION_MINUTES
from endcap.recommend.merchandising import PlacementRules
from endcap.recommend.offers import decided
from endcap.recommend.pipeline import Outcome, Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace

from .interleaving import Mixed, Team, mixed
from .past import PastStates
from .placements import PlacementService
from .resolve import Asked, resolved
from .rule_source import RuleSource, TraitSource
from .served import ServedLog
from .trials import NoTrials, TrialSource

SOURCE = "endcap"
_REQUEST = msgspec.msgpack.Decoder(RecommendationRequest)


class Again(NamedTuple):
    """A served slate made once more; `differences` say what could not be brought back."""

    event: Event
    plan: Plan
    query: Query
    state: State
    rules: PlacementRules
    outcome: Outcome
    differences: list[str]
    mixed: Mixed | None = None

    @property
    def exact(self) -> bool:
        """Whether the same products stand in the same slots."""
        return [line.product for line in self.event.lines] == [
            self.state.columns.ids[pick.row] for pick in self.outcome.picks
        ]


class Traces:
    """Answers by the token of a served slate. All calls come from the event loop's thread."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators, given once
        self,
        past: PastStates,
        placements: PlacementService,
        rules: RuleSource,
        log: EventLog,
        served: ServedLog,
        session_minutes: int = SESSION_MINUTES,
        traits: TraitSource | None = None,
        trials: TrialSource | None = None,
    ) -> None:
        self._trials = trials or NoTrials()
        self._traits = traits
        self._session_minutes = session_minutes
        self._past = past
        self._placements = placements
        self._rules = rules
        self._log = log
        self._served = served
        self._pipeline = Pipeline()

    async def trace(self, shop: str, token: str) -> dict[str, Any]:
        """Every decision behind the slate. Raises NotFound."""
        again = await self._again(shop, token)
        if again.mixed is not None:
            return {**_head(again), "trace": again.mixed.trace(again.state)}
        trace = make_trace(again.outcome, again.plan, again.query, again.state)
        return {**_head(again), "trace": trace}

    async def replay(self, shop: str, token: str) -> dict[str, Any]:
        """The slate made again from its stored inputs, beside what was served. Raises NotFound."""
        again = await self._again(shop, token)
        if again.mixed is not None:
            items = again.mixed.items(again.state, None)
        else:
            items = make_items(again.outcome, again.query, again.state, None)
        served = [line.product for line in again.event.lines]
        return {**_head(again), "served": served, "items": items}

    async def why_not(self, shop: str, token: str, product: str) -> dict[str, Any]:
        """What kept a product out of the slate. Raises NotFound."""
        again = await self._again(shop, token)
        return {**_head(again), "product": product, **self._reason(again, product)}

    def _reason(self, again: Again, product: str) -> dict[str, Any]:
        row = again.state.columns.row(product)
        if row is None:
            return {"shown": False, "by": "catalogue", "why": "no product has this id"}
        places = [n for n, pick in enumerate(again.outcome.picks, 1) if pick.row == row]
        if places:
            return {"shown": True, "position": places[0], "by": "", "why": "it is in the slate"}
        why = self._pipeline.why_not(again.plan, again.query, again.state, row, again.rules)
        if why is not None:
            by, _, text = why.partition(": ")
            return {"shown": False, "by": by, "why": text}
        return {"shown": False, **_outranked(again, row)}

    async def _again(self, shop: str, token: str) -> Again:
        event = await self._event(shop, token)
        inputs = event.served.inputs if event.served and event.served.inputs else None
        if inputs is None or event.placement is None:
            raise NotFound("the inputs of this slate were not kept")
        request = _REQUEST.decode(inputs.request)
        plan = await self._placements.plan_at(shop, event.placement, inputs.placement)
        rules = await self._rules.as_of(shop, event.placement, event.occurred_at)
        past = await self._past.state(shop, inputs)
        differences = list(past.differences)
        detail, trial, published = event.served, None, rules
        if detail is not None and detail.experiment is not None:
            trial = await self._trials.again(shop, plan, detail.experiment, detail.variant or "")
            if trial is None:
                differences.append(f"experiment {detail.experiment} is not known any more")
            else:
                plan, rules = trial.plan, trial.rules(rules)
        known = None
        if event.visitor and plan.personal:
            known, missing = await self._past.visitor(
                shop, event.visitor, event.occurred_at, inputs
            )
            differences += missing
        taken = past.state.columns.rows(inputs.taken)
        asked = Asked(
            request,
            plan,
            past.state,
            inputs.at or event.occurred_at,
            event.visitor,
            event.session,
            known,
            taken,
            self._session_minutes,
        )
        plan, query = resolved(asked, self._traits)
        query.offers = inputs.offers
        offers = past.state.merchant.offers
        differences += [
            f"offer {name} has changed since"
            for name, version in inputs.offers
            if name not in offers or offers[name].version != version
        ]
        if event.served and {*event.served.segments} != query.traits.segments:
            differences.append("the visitor's segments or tags have changed since")
        outcome = self._pipeline.run(plan, query, past.state, True, rules)
        both = None
        if trial is not None and trial.other is not None:
            other = trial.other
            its_plan, its_query = resolved(asked._replace(plan=other.plan), self._traits)
            its_query.offers = inputs.offers
            its = self._pipeline.run(its_plan, its_query, past.state, True, other.rules(published))
            one = Team(trial.variant, plan, query, outcome)
            both = mixed((one, Team(other.variant, its_plan, its_query, its)), trial, asked)
            outcome = both.outcome
        return Again(event, plan, query, past.state, rules, outcome, differences, both)

    async def _event(self, shop: str, token: str) -> Event:
        waiting = self._served.find(shop, token)
        if waiting is not None:
            return waiting
        found = await asyncio.to_thread(self._log.find, shop, SOURCE, token)
        if found is None or found.type != "served":
            raise NotFound(f"no slate was served under `{token[:100]}`, or it is no longer kept")
        return found


def inputs_of(
    request: RecommendationRequest,
    plan: Plan,
    query: Query,
    state: State,
    known: VisitorState | None,
) -> Inputs:
    """What to keep of a request so that its slate can be made again."""
    recent = known.recent if known is not None else []
    bare = msgspec.structs.replace(request, visitor=None, session=None, explain=False)
    return Inputs(
        request=msgspec.msgpack.encode(bare),
        taken=tuple(state.columns.ids[row] for row in query.taken.tolist()),
        placement=plan.version,
        snapshot=state.joined.version,
        catalogue=state.columns.change,
        tail=state.tail.seq,
        kept=len(recent),
        newest=recent[-1].occurred_at if recent else 0,
        offers=decided(query),
    )


def _outranked(again: Again, row: int) -> dict[str, Any]:
    """An eligible product that is not shown: no strategy proposed it, or others came first."""
    steps = again.outcome.steps
    proposed = [s for s in steps if row in s.rows]
    if not proposed:
        return {"by": "candidates", "why": "no strategy of the placement proposed it"}
    last = proposed[-1]
    dropped = steps[len(proposed)].name if len(proposed) < len(steps) else ""
    place = int((last.rows == row).argmax()) + 1
    if dropped:
        return {"by": dropped, "why": f"it stood at place {place} before `{dropped}` took it out"}
    count = again.query.count
    return {"by": "rank", "why": f"it came to place {place}, the slate has {count} slots"}


def _head(again: Again) -> dict[str, Any]:
    return {
        "token": again.event.event_id,
        "placement": again.plan.name,
        "exact": again.exact,
        "differences": again.differences,
    }
