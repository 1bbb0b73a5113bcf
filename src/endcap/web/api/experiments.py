"""Experiments: set up, start, stop, read; and the planner."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    FieldProblem,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
)
from endcap.core.experiment import METRICS, Experiment, ExperimentView
from endcap.experiments.planner import PlanAnswer, PlanQuestion, planned
from endcap.services.experiments import NotAllowedNow
from endcap.services.lifts import BY
from endcap.services.result_forms import Breakdown, Course, Results, SplitCheck
from endcap.web.call import Call, answer
from endcap.web.operations import Operation, Parameter

PREFIX = "/v1/experiments/"
NAME = Parameter("name", "Name of the experiment.", place="path")
METRIC = Parameter("metric", "The metric.", {"type": "string", "enum": list(METRICS)})
EDIT_ERRORS = (MalformedBody, InvalidInput, BodyTooLarge, NotAllowedNow, StoreUnavailable)


class Experiments(msgspec.Struct, frozen=True):
    """Experiments by name."""

    data: list[ExperimentView]


async def list_experiments(call: Call) -> Response:
    """Every experiment."""
    return answer(Experiments(list(await call.services.experiments.list(call.shop))))


async def get_experiment(call: Call) -> Response:
    """One experiment."""
    return answer(await call.services.experiments.get(call.shop, call.tail(PREFIX)))


async def put_experiment(call: Call) -> Response:
    """Store a draft, or raise a running one's traffic."""
    body = await call.body(call.services.max_body)
    name = call.tail(PREFIX)
    return answer(
        await call.services.experiments.put(call.shop, name, body, call.caller.audited_as)
    )


async def delete_experiment(call: Call) -> Response:
    """Take an experiment out of the list."""
    name = call.tail(PREFIX)
    await call.services.experiments.delete(call.shop, name, call.caller.audited_as)
    return Response(status_code=204)


async def start_experiment(call: Call) -> Response:
    """Let visitors in."""
    name = call.tail(PREFIX).removesuffix("/start")
    return answer(await call.services.experiments.start(call.shop, name, call.caller.audited_as))


async def stop_experiment(call: Call) -> Response:
    """End an experiment."""
    name = call.tail(PREFIX).removesuffix("/stop")
    return answer(await call.services.experiments.stop(call.shop, name, call.caller.audited_as))


async def get_results(call: Call) -> Response:
    """What is known of an experiment."""
    name = call.tail(PREFIX).removesuffix("/results")
    return answer(await call.services.results.results(call.shop, name))


async def get_split_check(call: Call) -> Response:
    """An A/A test on the experiment's visitors."""
    metric = call.query().get("metric", ["click_rate"])[-1]
    name = call.tail(PREFIX).removesuffix("/split-check")
    return answer(await call.services.results.split_check(call.shop, name, metric))


async def get_course(call: Call) -> Response:
    """A metric's lift over the days."""
    metric = call.query().get("metric", ["click_rate"])[-1]
    name = call.tail(PREFIX).removesuffix("/course")
    return answer(await call.services.results.course(call.shop, name, metric))


async def get_breakdown(call: Call) -> Response:
    """A metric's lift by kinds of visitors."""
    query = call.query()
    metric, by = query.get("metric", ["click_rate"])[-1], query.get("by", ["device"])[-1]
    name = call.tail(PREFIX).removesuffix("/breakdown")
    return answer(await call.services.results.breakdown(call.shop, name, metric, by))


async def plan_experiment(call: Call) -> Response:
    """How many visitors and days a comparison needs."""
    question = await call.decoded(PlanQuestion, call.services.max_body)
    if problems := plan_problems(question):
        raise InvalidInput("the plan cannot be made", problems)
    return answer(planned(question))


def plan_problems(question: PlanQuestion) -> list[FieldProblem]:
    """What keeps a plan from being made."""
    deviation = question.deviation
    top = 0.999 if deviation is None else 1e12
    ranges: list[tuple[str, float, float, float]] = [
        ("baseline", question.baseline, 1e-6, top),
        ("effect", question.effect, 1e-4, 10),
        ("deviation", 1 if deviation is None else deviation, 1e-9, 1e12),
        ("visitors_per_day", question.visitors_per_day, 1e-3, 1e12),
        ("variants", question.variants, 2, 10),
        ("alpha", question.alpha, 1e-6, 0.5),
        ("power", question.power, 0.5, 0.999),
        ("days", 1 if question.days is None else question.days, 1, 3_650),
    ]
    problems = [
        FieldProblem(f"/{name}", "out_of_range", f"must be {low:g} to {high:g}")
        for name, value, low, high in ranges
        if not low <= value <= high
    ]
    if not problems and deviation is None and question.baseline * (1 + question.effect) >= 1:
        problems.append(FieldProblem("/effect", "out_of_range", "makes a share of more than 1"))
    if question.method not in ("fixed", "sequential"):
        problems.append(FieldProblem("/method", "not_allowed", "must be fixed or sequential"))
    return problems


def _one(**fields: Any) -> Operation:
    fields.setdefault("path", "/v1/experiments/{name}")
    return Operation(tag="Experiments", **fields)


OPERATIONS = (
    _one(
        id="list_experiments",
        method="GET",
        path="/v1/experiments",
        handler=list_experiments,
        scope="reports:read",
        about="Every experiment, by name.",
        answer=Experiments,
    ),
    _one(
        id="get_experiment",
        method="GET",
        handler=get_experiment,
        scope="reports:read",
        about="One experiment.",
        parameters=(NAME,),
        answer=ExperimentView,
        errors=(InvalidInput, NotFound),
    ),
    _one(
        id="put_experiment",
        method="PUT",
        handler=put_experiment,
        scope="experiments:edit",
        about="Store a draft, or give a running experiment more traffic; nobody changes variant.",
        parameters=(NAME,),
        body=Experiment,
        body_example={
            "placements": ["product"],
            "variants": [
                {"name": "control"},
                {
                    "name": "similar",
                    "changes": {"strategies": [{"retriever": "similar", "weight": 1.0}]},
                },
            ],
            "primary": "click_rate",
            "guardrails": [{"metric": "revenue_per_visitor"}],
            "plan": {"per_variant": 12000, "days": 14, "effect": 0.15},
        },
        answer=ExperimentView,
        errors=EDIT_ERRORS,
    ),
    _one(
        id="delete_experiment",
        method="DELETE",
        handler=delete_experiment,
        scope="experiments:edit",
        about="Take an experiment that does not run out of the list.",
        parameters=(NAME,),
        status=204,
        errors=(InvalidInput, NotFound, NotAllowedNow, StoreUnavailable),
    ),
    _one(
        id="start_experiment",
        method="POST",
        path="/v1/experiments/{name}/start",
        handler=start_experiment,
        scope="experiments:edit",
        about="Let visitors in from now on. Its share of the layer is set aside.",
        parameters=(NAME,),
        answer=ExperimentView,
        errors=(InvalidInput, NotFound, NotAllowedNow, StoreUnavailable),
    ),
    _one(
        id="stop_experiment",
        method="POST",
        path="/v1/experiments/{name}/stop",
        handler=stop_experiment,
        scope="experiments:edit",
        about="End it: everybody gets the placement as it is, and the results stay as they are.",
        parameters=(NAME,),
        answer=ExperimentView,
        errors=(InvalidInput, NotFound, NotAllowedNow, StoreUnavailable),
    ),
    _one(
        id="get_results",
        method="GET",
        path="/v1/experiments/{name}/results",
        handler=get_results,
        scope="reports:read",
        about="Health, verdict, and every metric with its lift and intervals. No winner is named "
        "before the plan is reached unless the always-valid interval leaves zero out; a split that "
        "is not as planned takes the verdict's place.",
        parameters=(NAME,),
        answer=Results,
        errors=(InvalidInput, NotFound, NotAllowedNow),
    ),
    _one(
        id="get_split_check",
        method="GET",
        path="/v1/experiments/{name}/split-check",
        handler=get_split_check,
        scope="reports:read",
        about="An A/A test: the experiment's visitors split at random 500 times. Found differences "
        "are false by construction, so their rate should be near alpha.",
        parameters=(NAME, METRIC),
        answer=SplitCheck,
        errors=(InvalidInput, NotFound, NotAllowedNow),
    ),
    _one(
        id="get_course",
        method="GET",
        path="/v1/experiments/{name}/course",
        handler=get_course,
        scope="reports:read",
        about="A metric's value and lift at the end of each day, with both intervals.",
        parameters=(NAME, METRIC),
        answer=Course,
        errors=(InvalidInput, NotFound, NotAllowedNow),
    ),
    _one(
        id="get_breakdown",
        method="GET",
        path="/v1/experiments/{name}/breakdown",
        handler=get_breakdown,
        scope="reports:read",
        about="A metric's lift by device, zone, segment, or what was bought before. It explores: "
        "p-values are corrected over all kinds shown, and nothing here changes the verdict.",
        parameters=(NAME, METRIC, Parameter("by", "Kinds.", {"type": "string", "enum": list(BY)})),
        answer=Breakdown,
        errors=(InvalidInput, NotFound, NotAllowedNow),
    ),
    _one(
        id="plan_experiment",
        method="POST",
        path="/v1/experiments:plan",
        handler=plan_experiment,
        scope="reports:read",
        about="How many visitors and days a comparison needs, and what can be found in the time.",
        body=PlanQuestion,
        body_example={"baseline": 0.06, "effect": 0.15, "visitors_per_day": 1600},
        answer=PlanAnswer,
        errors=(MalformedBody, InvalidInput, BodyTooLarge),
    ),
)
