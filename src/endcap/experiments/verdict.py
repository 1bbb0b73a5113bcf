"""What may be said of an experiment: nothing that its data and its plan do not carry."""

import msgspec

from endcap.core.experiment import Experiment

from .checks import MISMATCH, sample_ratio
from .lift import Lift
from .preference import Preference


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the data can be trusted.

    `split_p` is the p-value of the sample-ratio check; `in_both` the share of visitors seen in
    more than one variant; `problems` is empty when all is well.
    """

    visitors: dict[str, int]
    split_p: float
    in_both: float
    problems: list[str]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is `unhealthy`, `too_early`, `winner`, `no_difference` or `harmful`.

    `variant` is the winner (or what harms), `early` says that the always-valid interval decided
    before the plan was reached.
    """

    status: str
    text: str
    variant: str | None = None
    early: bool = False


def examine(visitors: dict[str, int], weights: dict[str, float], in_both: float) -> Health:
    """The health of the split; `in_both` above one percent is a problem too."""
    names = list(weights)
    p = sample_ratio([visitors.get(name, 0) for name in names], [weights[n] for n in names])
    problems = []
    if p < MISMATCH:
        seen = " / ".join(f"{visitors.get(name, 0):,}" for name in names)
        problems.append(
            f"the split is not as planned: {seen} visitors, p = {p:.2g}; find the cause and start "
            "again, the data cannot be mended"
        )
    if in_both > 0.01:
        problems.append(f"{in_both:.1%} of the visitors were seen in more than one variant")
    return Health(visitors=visitors, split_p=p, in_both=in_both, problems=problems)


def decide(
    experiment: Experiment, health: Health, primary: dict[str, Lift], days: float
) -> Verdict:
    """The verdict from the primary metric's lift per variant (without the control)."""
    if health.problems:
        return Verdict(status="unhealthy", text="No verdict: " + "; ".join(health.problems) + ".")
    plan = experiment.plan
    fewest = min(health.visitors.values(), default=0)
    reached = days >= plan.days and fewest >= max(plan.per_variant, 1)
    cleared = {name: one for name, one in primary.items() if _cleared(one, reached)}
    better = {name: one for name, one in cleared.items() if (one.lift or 0) > 0}
    if better:
        name = max(better, key=lambda one: better[one].lift or 0)
        how = "the plan is reached" if reached else "the always-valid interval leaves zero out"
        text = f"{name} wins: {better[name].lift:+.1%} on {experiment.primary}; {how}."
        return Verdict(status="winner", text=text, variant=name, early=not reached)
    if cleared and len(cleared) == len(primary):
        name = min(cleared, key=lambda one: cleared[one].lift or 0)
        text = f"{name} is worse than the control: {cleared[name].lift:+.1%}."
        return Verdict(status="harmful", text=text, variant=name, early=not reached)
    if reached:
        text = f"No difference found; one of {plan.effect:+.0%} would most likely have been seen."
        return Verdict(status="no_difference", text=text)
    return Verdict(status="too_early", text=_waiting(experiment, fewest, days, primary))


def examine_draft(visitors: int, served: dict[str, int]) -> Health:
    """The health of an interleaving: both teams must have products to show."""
    total = sum(served.values())
    problems = [
        f"{name} has only {count / total:.0%} of the products shown; it hardly fills its slates, "
        "so there is little to choose from"
        for name, count in served.items()
        if total and count < total / 10
    ]
    return Health(visitors={"both": visitors}, split_p=1.0, in_both=0.0, problems=problems)


def prefer(
    experiment: Experiment, health: Health, found: Preference, teams: tuple[str, str], days: float
) -> Verdict:
    """The verdict of an interleaving: the preferred team, by the same rules as a lift."""
    if health.problems:
        return Verdict(status="unhealthy", text="No verdict: " + "; ".join(health.problems) + ".")
    plan = experiment.plan
    chose = found.decided + found.ties
    reached = days >= plan.days and chose >= max(plan.per_variant, 1)
    early = found.safe_p < experiment.alpha
    if early or (reached and found.p_value < experiment.alpha):
        better = teams[found.wins[1] > found.wins[0]]
        part = max(found.wins) / found.decided
        how = "the plan is reached" if reached else "the test that holds at any time is sure"
        text = f"{better} is preferred by {part:.0%} of {found.decided:,} visitors with a choice"
        status = "winner" if better == teams[1] else "harmful"
        return Verdict(status=status, text=f"{text}; {how}.", variant=teams[1], early=not reached)
    if reached:
        return Verdict(status="no_difference", text="Visitors prefer neither, as far as was seen.")
    text = (
        f"Too early: day {days:.0f} of {plan.days}, {chose:,} of {plan.per_variant:,} visitors "
        "who clicked."
    )
    return Verdict(status="too_early", text=text)


def _cleared(lift: Lift, reached: bool) -> bool:
    return lift.safe.clears_zero() or (reached and lift.fixed.clears_zero())


def _waiting(experiment: Experiment, fewest: int, days: float, primary: dict[str, Lift]) -> str:
    plan = experiment.plan
    text = (
        f"Too early: day {days:.0f} of {plan.days}, {fewest:,} of {plan.per_variant:,} visitors in "
        "the smallest variant."
    )
    ahead = max(primary.items(), key=lambda one: one[1].chance or 0, default=None)
    if ahead is not None and ahead[1].chance is not None:
        text += f" Chance that {ahead[0]} is better: {ahead[1].chance:.0%}."
    return text
