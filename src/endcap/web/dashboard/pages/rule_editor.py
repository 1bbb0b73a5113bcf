"""One rule: edit as fields and expressions, check, see before and after, publish, roll back."""

import re
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput, NotFound
from endcap.core.preview import Move, Preview, PreviewRequest
from endcap.core.report import RuleEffect
from endcap.core.rule import PinEffect, Rule
from endcap.core.rule_status import CheckReport, Publication, RuleView
from endcap.services.versions import Edit
from endcap.web.dashboard.page import Action, Page, PageCall
from endcap.web.dashboard.rule_form import EFFECTS, MONTHS, WEEKDAYS, fields_of, rule_of

HOME = "/dashboard/rules"
ASKED = ("placement", "seed", "cart", "visitor", "zone", "at")
NEW = PinEffect(slot=1)


class Editing(msgspec.Struct, frozen=True):
    """The rule as form fields with all that helps to decide on it.

    `view` is None for a rule that is not kept yet; `report` is the check, when it was asked for.
    """

    heading: str
    name: str
    view: RuleView | None
    fields: dict[str, str]
    versions: list[RuleView]
    publications: list[Publication]
    placements: list[str]
    segments: list[str]
    asked: dict[str, str]
    preview: Preview | None
    report: CheckReport | None
    effects: dict[str, str]
    measured: RuleEffect | None
    tried_in: list[str]
    months: tuple[str, ...] = MONTHS
    weekdays: tuple[str, ...] = WEEKDAYS


async def editing(call: PageCall) -> Editing:
    """The editor of one rule, also of one that does not exist yet."""
    name, services = call.path["name"], call.services
    view, versions, publications = None, [], []
    try:
        view = await services.rules.get(call.shop, name)
        versions = await services.rules.history(call.shop, name)
        publications = await services.rules.publications(call.shop, name)
    except NotFound:
        pass
    rule = view.rule if view is not None else None
    placements = [placement.name for placement in await services.placements.list(call.shop)]
    asked = {field: call.query.get(field, "").strip() for field in ASKED}
    first = rule.placements[0] if rule and rule.placements else next(iter(placements), "")
    asked["placement"] = asked["placement"] or first
    report = None
    if rule is not None and call.query.get("check") == "1":
        report = await services.trials.check(call.shop, name, rule)
    fields = call.form or _fields(rule, name, call)
    return Editing(
        heading=fields.get("title") or name,
        name=name,
        view=view,
        fields=fields,
        versions=versions,
        publications=publications,
        placements=placements,
        segments=sorted(services.segments.names(call.shop)),
        asked=asked,
        preview=await _preview(call, name, view, asked),
        report=report,
        effects=EFFECTS,
        measured=await _measured(call, name) if rule is not None else None,
        tried_in=[
            one.name
            for one in await services.experiments.list(call.shop)
            if any(name in variant.rules_off for variant in one.experiment.variants)
        ],
    )


async def _measured(call: PageCall, name: str) -> RuleEffect | None:
    reports = call.services.reports
    found = await reports.effects(call.shop, reports.question(("rule",)))
    return next((one for one in found if one.rule == name), None)


def _fields(rule: Rule | None, name: str, call: PageCall) -> dict[str, str]:
    if rule is not None:
        return fields_of(rule)
    known = {"effect", "products", "slot", "placements", "title", "where", "when"}
    given = {field: value for field, value in call.query.items() if field in known}
    return {**fields_of(Rule(effect=NEW)), "title": name.replace("-", " ").capitalize(), **given}


async def _preview(
    call: PageCall, name: str, view: RuleView | None, asked: dict[str, str]
) -> Preview | None:
    """The slate without the draft and with it; of a rule that is live, without it and with it."""
    if view is None or view.rule is None or not asked["placement"]:
        return None
    live = view.state == "published"

    def several(field: str) -> list[str]:
        return [one.strip() for one in asked[field].split(",") if one.strip()]

    request = PreviewRequest(
        placement=asked["placement"],
        visitor=asked["visitor"] or None,
        seed=several("seed"),
        cart=several("cart") or None,
        zone=asked["zone"] or None,
        as_of=asked["at"] or None,
        rules={} if live else {name: view.rule},
        without=[name] if live else [],
    )
    made = await call.services.previews.preview(call.shop, request)
    return turned(made) if live else made


def turned(made: Preview) -> Preview:
    """The preview with before and after changed over."""
    return msgspec.structs.replace(
        made,
        before=made.after,
        after=made.before,
        moves=[Move(one.id, one.after, one.before) for one in made.moves],
        fallback_before=made.fallback_after,
        fallback_after=made.fallback_before,
        on_before=made.on_after,
        on_after=made.on_before,
    )


async def create(call: PageCall) -> Response:
    """Go to the editor of a new rule; nothing is kept yet."""
    title = call.form.get("title", "").strip()
    name = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:80]
    if not name:
        problem = FieldProblem("/title", "missing", "needs a letter or a digit")
        raise InvalidInput("the rule needs a name", [problem])
    return call.go(f"{HOME}/{name}", title=title)


async def save(call: PageCall) -> Response:
    """Keep a draft; nothing goes live."""
    name = call.path["name"]
    rule, edit = rule_of(call.form), _edit(call)
    view = await call.services.rules.put(call.shop, name, rule, edit)
    return _to(call, f"Version {view.version} is kept as a draft.", check="1")


async def publish(call: PageCall) -> Response:
    """Make the newest version live, unless the check found an error."""
    name, services = call.path["name"], call.services
    view = await services.rules.get(call.shop, name)
    if view.rule is None:
        raise NotFound("the rule was deleted")
    report = await services.trials.check(call.shop, name, view.rule)
    errors = [one for one in report.findings if one.level == "error"]
    if errors and call.form.get("force") != "1":
        problems = [FieldProblem(f"/{one.code}", one.code, one.message) for one in errors]
        raise InvalidInput("the check found what keeps this rule from going live", problems)
    view = await services.rules.publish(call.shop, name, view.version, _edit(call))
    return _to(call, f"Version {view.version} is live.")


async def roll_back(call: PageCall) -> Response:
    """Make live again what was live before, or the version named."""
    name, services = call.path["name"], call.services
    version = call.form.get("version", "")
    if version.isascii() and version.isdigit() and len(version) < 10:
        await services.rules.publish(call.shop, name, int(version), _edit(call))
        return _to(call, f"Version {version} is live again.")
    view = await services.rules.roll_back(call.shop, name, _edit(call))
    live = f"Version {view.published} is live again." if view.published else "It is not live now."
    return _to(call, live)


async def switch_off(call: PageCall) -> Response:
    """Take the rule out; its drafts stay."""
    await call.services.rules.unpublish(call.shop, call.path["name"], _edit(call))
    return _to(call, "The rule is not live any more.")


async def delete(call: PageCall) -> Response:
    """Take the rule out and off the list."""
    await call.services.rules.delete(call.shop, call.path["name"], _edit(call))
    return call.go(HOME, said="The rule is gone; its versions can still be read by the API.")


def _edit(call: PageCall) -> Edit:
    return Edit(author=call.author, note=call.form.get("note", "").strip())


def _to(call: PageCall, said: str, **query: str) -> Response:
    return call.go(f"{HOME}/{call.path['name']}", said=said, **query)


PAGES = (
    Page(
        id="rule",
        path="/rules/{name}",
        title="Rule",
        template="rule.html",
        data=editing,
        scope="rules:edit",
    ),
)


def _action(name: str, act: Any, scope: str, page: str = "rule") -> Action:
    return Action(
        id=f"rule_{name}", path=f"/rules/{{name}}/{name}", act=act, scope=scope, page=page
    )


ACTIONS = (
    Action(id="rule_new", path="/new-rule", act=create, scope="rules:edit", page="rules"),
    _action("draft", save, "rules:edit"),
    _action("publish", publish, "rules:publish"),
    _action("rollback", roll_back, "rules:publish"),
    _action("off", switch_off, "rules:publish"),
    _action("delete", delete, "rules:publish"),
)
