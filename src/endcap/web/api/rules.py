"""Rules: draft, check, preview, publish, roll back."""

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    FieldProblem,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    UnknownPlacement,
    VersionConflict,
)
from endcap.core.preview import Preview, PreviewRequest
from endcap.core.rule import Rule
from endcap.core.rule_status import CheckReport, Publication, RuleView
from endcap.web.call import Call, answer, flag, number
from endcap.web.operations import Parameter, maker

from .segments import IF_MATCH, NOTE, VERSION, edit_of

NAME = Parameter("name", "Name of the rule.", place="path")
PREFIX = "/v1/rules/"
FORCE = Parameter("force", "Publish in spite of what the check found.", {"type": "boolean"})


class Rules(msgspec.Struct, frozen=True):
    """Rules, or versions of one, and what was live when."""

    data: list[RuleView]
    publications: list[Publication] = []


async def list_rules(call: Call) -> Response:
    """The newest version of every rule."""
    return answer(Rules(await call.services.rules.all(call.shop)))


async def get_rule(call: Call) -> Response:
    """One rule."""
    version = number(call.query(), "version", None)
    return _tagged(await call.services.rules.get(call.shop, call.tail(PREFIX), version))


async def get_versions(call: Call) -> Response:
    """Every version of a rule, and what was live when."""
    name = _name(call, "/versions")
    found = await call.services.rules.history(call.shop, name)
    return answer(Rules(found, await call.services.rules.publications(call.shop, name)))


async def put_rule(call: Call) -> Response:
    """Store a draft."""
    edit = edit_of(call)
    rule = await call.decoded(Rule, call.services.max_body)
    return _tagged(await call.services.rules.put(call.shop, call.tail(PREFIX), rule, edit))


async def check_rule(call: Call) -> Response:
    """Check a draft."""
    return answer(await _checked(call, _name(call, "/check")))


async def preview_rule(call: Call) -> Response:
    """Preview a placement with a draft."""
    name = _name(call, "/preview")
    asked = await call.decoded(PreviewRequest, call.services.max_body)
    if name not in asked.rules and name not in asked.without:
        draft = await call.services.rules.get(call.shop, name)
        if draft.rule is not None:
            asked = msgspec.structs.replace(asked, rules={**asked.rules, name: draft.rule})
    return answer(await call.services.previews.preview(call.shop, asked))


async def publish_rule(call: Call) -> Response:
    """Make a version live."""
    name = _name(call, "/publish")
    query = call.query()
    version = number(query, "version", None)
    if not flag(query, "force") or "force" not in query:
        report = await _checked(call, name)
        problems = [
            FieldProblem("/rule", finding.code, finding.message)
            for finding in report.findings
            if finding.level == "error"
        ]
        if problems:
            raise InvalidInput("the check found what keeps this rule from going live", problems)
    return _tagged(await call.services.rules.publish(call.shop, name, version, edit_of(call)))


async def roll_back_rule(call: Call) -> Response:
    """Make live again what was live before."""
    name = _name(call, "/rollback")
    return _tagged(await call.services.rules.roll_back(call.shop, name, edit_of(call)))


async def unpublish_rule(call: Call) -> Response:
    """Take a rule out."""
    name = _name(call, "/unpublish")
    return _tagged(await call.services.rules.unpublish(call.shop, name, edit_of(call)))


async def delete_rule(call: Call) -> Response:
    """Take a rule out and delete it."""
    await call.services.rules.delete(call.shop, call.tail(PREFIX), edit_of(call))
    return Response(status_code=204)


async def _checked(call: Call, name: str) -> CheckReport:
    version = number(call.query(), "version", None)
    view = await call.services.rules.get(call.shop, name, version)
    if view.rule is None:
        raise NotFound(f"version {view.version} deleted the rule `{name}`")
    return await call.services.trials.check(call.shop, name, view.rule)


def _name(call: Call, suffix: str) -> str:
    return call.tail(PREFIX).removesuffix(suffix)


def _tagged(view: RuleView) -> Response:
    response = answer(view)
    response.headers["etag"] = f'"{view.version}"'
    return response


_operation = maker(path="/v1/rules/{name}", parameters=(NAME,), tag="Rules")


EXAMPLE = {
    "title": "Nothing cheap for big spenders",
    "when": "visitor.segment('big_spender')",
    "where": "product.price < 5.0",
    "placements": ["home"],
    "effect": {"type": "filter", "mode": "never"},
    "schedule": {"weekdays": [1, 2, 3, 4, 5], "time_zone": "Europe/Berlin"},
}
OPERATIONS = (
    _operation(
        id="list_rules",
        method="GET",
        path="/v1/rules",
        handler=list_rules,
        scope="reports:read",
        about="The newest version of every rule; `published` is the version that is live.",
        parameters=(),
        answer=Rules,
    ),
    _operation(
        id="get_rule",
        method="GET",
        handler=get_rule,
        scope="reports:read",
        about="One rule, the newest or an older version, in words and with what it changed.",
        parameters=(NAME, VERSION),
        answer=RuleView,
        errors=(InvalidInput, NotFound),
    ),
    _operation(
        id="get_rule_versions",
        method="GET",
        path="/v1/rules/{name}/versions",
        handler=get_versions,
        scope="reports:read",
        about="Every version with author, note and changes, newest first; and what was live when.",
        answer=Rules,
        errors=(InvalidInput, NotFound),
    ),
    _operation(
        id="put_rule",
        method="PUT",
        handler=put_rule,
        scope="rules:edit",
        about="Store a draft as a new version. All problems are named; nothing goes live.",
        parameters=(NAME, NOTE, IF_MATCH),
        body=Rule,
        body_example=EXAMPLE,
        answer=RuleView,
        errors=(MalformedBody, InvalidInput, VersionConflict, BodyTooLarge, StoreUnavailable),
    ),
    _operation(
        id="check_rule",
        method="POST",
        path="/v1/rules/{name}/check",
        handler=check_rule,
        scope="rules:edit",
        about="What is to be said of a draft: contradictions with published rules, effects that "
        "never come, names nothing goes by, and what it does to recent requests.",
        parameters=(NAME, VERSION),
        answer=CheckReport,
        errors=(InvalidInput, NotFound),
    ),
    _operation(
        id="preview_rule",
        method="POST",
        path="/v1/rules/{name}/preview",
        handler=preview_rule,
        scope="rules:edit",
        about="A placement as it is and with the newest draft of the rule, for a real or made-up "
        "visitor, seed, zone and time. Nothing is logged.",
        body=PreviewRequest,
        answer=Preview,
        errors=(MalformedBody, InvalidInput, NotFound, UnknownPlacement, BodyTooLarge),
    ),
    _operation(
        id="publish_rule",
        method="POST",
        path="/v1/rules/{name}/publish",
        handler=publish_rule,
        scope="rules:publish",
        about="Make a version live, the newest when none is named. What the check calls an error "
        "is refused unless forced.",
        parameters=(NAME, VERSION, NOTE, FORCE),
        answer=RuleView,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
    _operation(
        id="roll_back_rule",
        method="POST",
        path="/v1/rules/{name}/rollback",
        handler=roll_back_rule,
        scope="rules:publish",
        about="Make live again what was live before; nothing, if nothing was.",
        parameters=(NAME, NOTE),
        answer=RuleView,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
    _operation(
        id="unpublish_rule",
        method="POST",
        path="/v1/rules/{name}/unpublish",
        handler=unpublish_rule,
        scope="rules:publish",
        about="Take a rule out. Its versions stay.",
        parameters=(NAME, NOTE),
        answer=RuleView,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
    _operation(
        id="delete_rule",
        method="DELETE",
        handler=delete_rule,
        scope="rules:publish",
        about="Take a rule out and delete it. Its versions stay readable.",
        status=204,
        errors=(InvalidInput, NotFound, StoreUnavailable),
    ),
)
