"""Rules: what was promised to whom, what it does, when it holds, and how it does."""

from typing import Any

import msgspec

from endcap.core.errors import EndcapError, FieldProblem
from endcap.core.report import RuleEffect
from endcap.core.rule_status import RuleView
from endcap.core.times import DAY, HOUR
from endcap.recommend.schedules import holds_at
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING, NO_PRODUCT
from endcap.web.dashboard.page import Page, PageCall

AHEAD = 42


class Listed(msgspec.Struct, frozen=True):
    """Every rule with what the reports count of it in 28 days, and the problems of reading it."""

    rules: list[RuleView]
    counted: dict[str, dict[str, Any]]
    effects: dict[str, RuleEffect]
    currency: str


class Span(msgspec.Struct, frozen=True):
    """The rule and the part of each coming day on which it holds, 0 to 1."""

    name: str
    title: str
    shares: list[float]


class Calendar(msgspec.Struct, frozen=True):
    """The coming days; `always` are the published rules without a schedule."""

    first: int
    days: int
    spans: list[Span]
    always: list[str]


class Words(msgspec.Struct, frozen=True):
    """What two expressions say, or what is wrong with them."""

    when: str
    where: str
    problems: list[FieldProblem]


async def rules(call: PageCall) -> Listed:
    """The newest version of every rule, in the order in which they apply."""
    found = await call.services.rules.all(call.shop)
    usual = call.services.reports.question(("rule",))
    report = await call.services.reports.performance(call.shop, usual)
    effects = {one.rule: one for one in await call.services.reports.effects(call.shop, usual)}
    counted = {str(row["rule"]): row for row in report.rows}
    found.sort(key=lambda view: (-(view.rule.priority if view.rule else 0), view.name))
    return Listed(found, counted, effects, report.currency)


async def calendar(call: PageCall) -> Calendar:
    """When the published rules hold in the coming six weeks."""
    first = call.services.clock() // DAY * DAY
    spans, always = [], []
    for name, (_, rule) in sorted(call.services.rules.published(call.shop).rules.items()):
        if not rule.enabled:
            continue
        if rule.schedule is None:
            always.append(name)
            continue
        try:
            holds = holds_at(rule.schedule)
        except (EndcapError, ValueError):
            continue
        shares = [
            sum(holds(first + day * DAY + hour * HOUR) for hour in range(24)) / 24
            for day in range(AHEAD)
        ]
        spans.append(Span(name, rule.title or name, shares))
    return Calendar(first, AHEAD, spans, always)


async def words(call: PageCall) -> Words:
    """Two expressions in words, while they are typed."""
    found, problems = {}, []
    for name, schema in (("when", NO_PRODUCT), ("where", EVERYTHING)):
        text = call.query.get(name, "")
        found[name] = ""
        if text.strip():
            try:
                found[name] = compile_expression(text, schema).english()
            except ExpressionError as error:
                problems.append(error.problem(f"/{name}"))
    return Words(found["when"], found["where"], problems)


PAGES = (
    Page(
        id="rules",
        path="/rules",
        title="Rules",
        template="rules.html",
        data=rules,
        group="Merchandise",
        place=30,
    ),
    Page(
        id="calendar",
        path="/calendar",
        title="Calendar",
        template="calendar.html",
        data=calendar,
        group="Merchandise",
        place=40,
    ),
    Page(
        id="words",
        path="/words",
        title="Expressions in words",
        template="words.html",
        data=words,
        scope="rules:edit",
    ),
)
