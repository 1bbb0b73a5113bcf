"""Experiments: which is better, and may it be stopped."""

import re
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.experiment import METRICS, Experiment, ExperimentView
from endcap.core.placement import Placement
from endcap.experiments.planner import PlanAnswer, planned
from endcap.services.lifts import BY
from endcap.services.result_forms import Breakdown, Course, Results, SplitCheck
from endcap.web.api.experiments import plan_problems
from endcap.web.dashboard.differences import pretty
from endcap.web.dashboard.experiment_form import DEFAULTS, experiment_of, fields_of, plan_question
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/experiments"


class Row(msgspec.Struct, frozen=True):
    """An experiment with its verdict, when it has one."""

    view: ExperimentView
    results: Results | None


class Listed(msgspec.Struct, frozen=True):
    """Every experiment."""

    experiments: list[Row]


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment: a draft with its planner, or what is known of it since its start.

    `view` is None for one that is not kept yet.
    """

    heading: str
    name: str
    view: ExperimentView | None
    fields: dict[str, str]
    text: str
    placements: list[str]
    drafts: list[str]
    rules: list[str]
    asked: dict[str, str]
    plan: PlanAnswer | None
    plan_problems: list[FieldProblem]
    results: Results | None
    split: SplitCheck | None
    course: Course | None
    breakdown: Breakdown | None
    backtest: Any
    kinds: tuple[str, ...] = BY
    metrics: tuple[str, ...] = METRICS


async def experiments(call: PageCall) -> Listed:
    """Every experiment, the running ones first."""
    rows = []
    for view in await call.services.experiments.list(call.shop):
        running = view.experiment.state == "running"
        found = await call.services.results.results(call.shop, view.name) if running else None
        rows.append(Row(view, found))
    order = ("running", "draft", "stopped")
    rows.sort(key=lambda row: (order.index(row.view.experiment.state), row.view.name))
    return Listed(rows)


async def experiment(call: PageCall) -> Detail:
    """One experiment."""
    name, services = call.path["name"], call.services
    view = await _kept(call, name)
    placements = [one.name for one in await services.placements.list(call.shop)]
    fields = call.form or _fields(view, name, call)
    problems: list[FieldProblem] = []
    plan, asked = None, await _asked(call, fields.get("placement", ""))
    if (question := plan_question(call.query, problems)) is not None:
        problems += plan_problems(question)
        plan = None if problems else planned(question)
    results, split, course, breakdown = None, None, None, None
    if view is not None and view.experiment.state != "draft":
        results = await services.results.results(call.shop, name)
        if call.query.get("split"):
            split = await services.results.split_check(call.shop, name, call.query["split"])
        if view.experiment.type == "ab":
            primary, by = view.experiment.primary, call.query.get("by", "device")
            course = await services.results.course(call.shop, name, primary)
            breakdown = await services.results.breakdown(call.shop, name, primary, by)
    return Detail(
        heading=fields.get("title") or name,
        name=name,
        view=view,
        fields=fields,
        text=call.form.get("json", "") or (pretty(view.experiment) if view else ""),
        placements=placements,
        drafts=await services.drafts.names(call.shop),
        rules=sorted(services.rules.published(call.shop).rules),
        asked=asked,
        plan=plan,
        plan_problems=problems,
        results=results,
        split=split,
        course=course,
        breakdown=breakdown,
        backtest=await _backtest(call, view) if view and call.query.get("backtest") else None,
    )


async def _backtest(call: PageCall, view: ExperimentView) -> Any:
    """The last variant over a sample of the last week's requests of its first placement."""
    experiment = view.experiment
    name, variant = experiment.placements[0], experiment.variants[-1]
    live = await call.services.placements.get(call.shop, name)
    fields = {**msgspec.to_builtins(live.placement), **variant.changes}
    try:
        draft = msgspec.convert(fields, Placement)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the variant cannot be tried: {error}") from error
    return await call.services.backtest(call.shop, name, draft, variant.rules_off)


async def _kept(call: PageCall, name: str) -> ExperimentView | None:
    try:
        return await call.services.experiments.get(call.shop, name)
    except NotFound:
        return None


def _fields(view: ExperimentView | None, name: str, call: PageCall) -> dict[str, str]:
    if view is not None:
        return fields_of(view.experiment)
    given = {field: value for field, value in call.query.items() if field in DEFAULTS}
    title = call.query.get("title") or name.replace("-", " ").capitalize()
    return {**DEFAULTS, **given, "title": title}


async def _asked(call: PageCall, placement: str) -> dict[str, str]:
    """The planner's fields; the click rate and the visitors of the last 28 days to start from."""
    asked = {n: call.query.get(n, "") for n in ("baseline", "visitors_per_day", "effect", "method")}
    if asked["baseline"] or not placement:
        return asked
    usual = call.services.reports.question(())
    question = msgspec.structs.replace(usual, filters={"placement": placement})
    total = (await call.services.reports.performance(call.shop, question)).total
    if total.get("ctr"):
        asked["baseline"] = f"{total['ctr']:.4g}"
    if total.get("visitors"):
        asked["visitors_per_day"] = f"{total['visitors'] / 28:.3g}"
    return asked


async def create(call: PageCall) -> Response:
    """Go to the page of a new experiment; nothing is kept yet."""
    title = call.form.get("title", "").strip()
    name = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:80]
    if not name:
        problem = FieldProblem("/title", "missing", "needs a letter or a digit")
        raise InvalidInput("the experiment needs a name", [problem])
    return call.go(f"{HOME}/{name}", title=title)


async def save(call: PageCall) -> Response:
    """Keep a draft, or raise the traffic of a running experiment."""
    name, services = call.path["name"], call.services
    if "json" in call.form:
        body = call.form["json"].encode("utf-8", "surrogatepass")
    else:
        view = await _kept(call, name)
        before: Experiment | None = view.experiment if view else None
        kept = await services.drafts.get(call.shop, call.form.get("placement", ""))
        made = experiment_of(call.form, before, kept.placement if kept else None)
        body = msgspec.json.encode(made)
    await services.experiments.put(call.shop, name, body, call.author)
    return _to(call, "The draft is kept. Nobody takes part yet.")


async def start(call: PageCall) -> Response:
    """Let visitors in."""
    await call.services.experiments.start(call.shop, call.path["name"], call.author)
    return _to(call, "It runs. Every visitor stays with one variant.")


async def stop(call: PageCall) -> Response:
    """End it."""
    await call.services.experiments.stop(call.shop, call.path["name"], call.author)
    return _to(call, "It is stopped; its results stay as they are.")


async def delete(call: PageCall) -> Response:
    """Take it off the list."""
    await call.services.experiments.delete(call.shop, call.path["name"], call.author)
    return call.go(HOME, said="The experiment is gone.")


def _to(call: PageCall, said: str) -> Response:
    return call.go(f"{HOME}/{call.path['name']}", said=said)


PAGES = (
    Page(
        id="experiments",
        path="/experiments",
        title="Experiments",
        template="experiments.html",
        data=experiments,
        group="Measure",
        place=20,
    ),
    Page(
        id="experiment",
        path="/experiments/{name}",
        title="Experiment",
        template="experiment.html",
        data=experiment,
    ),
)


def _action(name: str, act: Any) -> Action:
    return Action(
        id=f"experiment_{name}",
        path=f"/experiments/{{name}}/{name}",
        act=act,
        scope="experiments:edit",
        page="experiment",
    )


ACTIONS = (
    Action(
        id="experiment_new",
        path="/new-experiment",
        act=create,
        scope="experiments:edit",
        page="experiments",
    ),
    _action("draft", save),
    _action("start", start),
    _action("stop", stop),
    _action("delete", delete),
)
