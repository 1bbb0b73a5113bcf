"""An experiment as the fields of a form: a control, and a variant that differs in one way."""

from typing import Any

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.experiment import METRICS, Experiment
from endcap.core.placement import Placement
from endcap.experiments.planner import PlanQuestion

PLAN = {"effect": "0.1", "power": "0.8", "days": "14", "per_variant": "0"}
DEFAULTS = {
    "placement": "",
    "type": "ab",
    "primary": "click_rate",
    "traffic": "1",
    "differs": "draft",
    "rule": "",
    **PLAN,
}


def fields_of(experiment: Experiment) -> dict[str, str]:
    """The form's fields of an experiment with one placement and two variants."""
    found = {**DEFAULTS, "title": experiment.title, "primary": experiment.primary}
    found["placement"] = next(iter(experiment.placements), "")
    found["type"] = experiment.type
    found["traffic"] = f"{experiment.traffic:g}"
    found |= {name: f"{getattr(experiment.plan, name):g}" for name in PLAN}
    other = experiment.variants[-1]
    found["rule"] = next(iter(other.rules_off), "")
    found["differs"] = "rule" if other.rules_off else "kept" if other.changes else "draft"
    for guard in experiment.guardrails:
        found[f"guard_{guard.metric}"] = "1"
    return found


def experiment_of(
    form: dict[str, str], before: Experiment | None, draft: Placement | None
) -> dict[str, Any]:
    """The experiment of a form as JSON data. Raises InvalidInput naming the field."""
    problems: list[FieldProblem] = []
    made: dict[str, Any] = {"title": form.get("title", "").strip()}
    made["placements"] = [form.get("placement", "")]
    made["primary"] = form.get("primary", "click_rate")
    made["type"] = form.get("type", "ab")
    made["traffic"] = number(form, "traffic", "/traffic", problems)
    made["plan"] = {name: number(form, name, f"/plan/{name}", problems) for name in PLAN}
    for name in ("days", "per_variant"):
        made["plan"][name] = int(made["plan"][name])
    made["guardrails"] = [{"metric": m} for m in METRICS if form.get(f"guard_{m}")]
    made["variants"] = [{"name": "control"}, _variant(form, before, draft, problems)]
    if problems:
        raise InvalidInput("the experiment cannot be kept", problems)
    return made


def _variant(
    form: dict[str, str],
    before: Experiment | None,
    draft: Placement | None,
    problems: list[FieldProblem],
) -> dict[str, Any]:
    kind = form.get("differs", "")
    if kind == "rule":
        if form.get("rule"):
            return {"name": "without_rule", "rules_off": [form["rule"]]}
        problems.append(FieldProblem("/rule", "missing", "name the rule to leave out"))
    elif kind == "kept" and before is not None:
        kept: dict[str, Any] = msgspec.to_builtins(before.variants[-1])
        return kept
    elif draft is not None:
        changes = msgspec.to_builtins(draft)
        changes.pop("title", None)
        return {"name": "draft", "changes": changes}
    else:
        text = "the placement has no draft yet; edit it first and keep a draft"
        problems.append(FieldProblem("/differs", "missing", text))
    return {"name": "other"}


def plan_question(query: dict[str, str], problems: list[FieldProblem]) -> PlanQuestion | None:
    """The planner's question of an address; None when nothing was asked."""
    if not query.get("baseline"):
        return None
    found: dict[str, Any] = {
        name: number(query, name, f"/{name}", problems)
        for name in ("baseline", "effect", "power", "visitors_per_day")
        if query.get(name, "").strip()
    }
    if query.get("deviation", "").strip():
        found["deviation"] = number(query, "deviation", "/deviation", problems)
    method = "sequential" if query.get("method") == "sequential" else "fixed"
    return PlanQuestion(method=method, **found)


def number(form: dict[str, str], name: str, pointer: str, problems: list[FieldProblem]) -> float:
    """A number of a form; what is none becomes a problem and counts as 0."""
    try:
        value = float(form.get(name, "") or DEFAULTS.get(name, "0"))
        if abs(value) < 1e12:
            return value
    except ValueError:
        pass
    problems.append(FieldProblem(pointer, "wrong_type", "must be a number"))
    return 0.0
