"""A slate mixed from two variants' slates, so that each visitor compares both."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from endcap.core.answer import Item
from endcap.core.times import DAY
from endcap.experiments.interleave import Drafted, team_draft
from endcap.recommend.pipeline import Outcome
from endcap.recommend.plan import Plan
from endcap.recommend.query import Query, State
from endcap.recommend.slate import make_items
from endcap.recommend.trace import make_trace

from .resolve import Asked
from .trials import Trial


class Team(NamedTuple):
    """One variant's own slate for the request."""

    name: str
    plan: Plan
    query: Query
    outcome: Outcome


class Mixed(NamedTuple):
    """Both teams, the control first, and what was drafted from them."""

    teams: tuple[Team, Team]
    drafted: Sequence[Drafted]

    @property
    def outcome(self) -> Outcome:
        """The control's outcome with the mixed picks."""
        one, other = (team.outcome for team in self.teams)
        picks = [self.teams[d.team].outcome.picks[d.place] for d in self.drafted]
        return msgspec.structs.replace(one, picks=picks, fallback=one.fallback or other.fallback)

    def items(self, state: State, fields: tuple[str, ...] | None) -> list[Item]:
        """Items in slate order; each names its team and has that team's reasons."""
        own = [make_items(t.outcome, t.query, state, fields) for t in self.teams]
        return [
            msgspec.structs.replace(
                own[d.team][d.place], position=position, team=self.teams[d.team].name
            )
            for position, d in enumerate(self.drafted, 1)
        ]

    def trace(self, state: State) -> dict[str, Any]:
        """The control's trace with the mixed items; under `teams` what each team's slate was."""
        traces = [make_trace(t.outcome, t.plan, t.query, state) for t in self.teams]
        items = [
            traces[d.team]["items"][d.place]
            | {"position": position, "team": self.teams[d.team].name}
            for position, d in enumerate(self.drafted, 1)
        ]
        names = [team.name for team in self.teams]
        teams = dict(zip(names, traces, strict=True))
        return {**traces[0], "items": items, "teams": teams}


def mixed(teams: tuple[Team, Team], trial: Trial, asked: Asked) -> Mixed:
    """Draft the slate, as long as the control's.

    The coins are fixed by the experiment, visitor, placement, seeds and day (UTC), so that a
    reload shows the same slate, and every day is tossed for anew.
    """
    ids = asked.state.columns.ids
    slates = [[ids[pick.row] for pick in team.outcome.picks] for team in teams]
    seeds = ",".join(asked.request.seed)
    seed = f"{trial.salt}:{asked.visitor}:{asked.plan.name}:{seeds}:{asked.now // DAY}"
    return Mixed(teams, team_draft(slates[0], slates[1], teams[0].query.count, seed))
