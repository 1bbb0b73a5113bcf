"""Results of an interleaving: what visitors chose, and what each team did."""

from endcap.core.experiment import Experiment
from endcap.core.money import from_minor
from endcap.core.times import DAY, format_time
from endcap.core.trial import Preferences
from endcap.experiments.preference import preference
from endcap.experiments.verdict import examine_draft, prefer

from .result_forms import Results


def make_preference(name: str, experiment: Experiment, data: Preferences, currency: str) -> Results:
    """What may be said of an interleaving."""
    days = (data.until - (experiment.started_at or 0)) / DAY
    found = preference(*data.wins, data.ties, experiment.alpha)
    one, other = (variant.name for variant in experiment.variants)
    served = {team["variant"]: int(team["served"]) for team in data.teams}
    health = examine_draft(data.visitors, served)
    teams = [
        {k: v for k, v in team.items() if k != "revenue_minor"}
        | {"revenue": str(from_minor(int(team["revenue_minor"]), currency))}
        for team in data.teams
    ]
    return Results(
        name=name,
        state=experiment.state,
        health=health,
        verdict=prefer(experiment, health, found, (one, other), days),
        metrics=[],
        days=round(days, 3),
        planned_days=experiment.plan.days,
        planned_per_variant=experiment.plan.per_variant,
        plan_reached=data.reached,
        until=format_time(data.until),
        as_of=format_time(data.as_of),
        preference=found,
        teams=teams,
    )
