"""A rule as the fields of a form, and back."""

from typing import Any

import msgspec

from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.pointers import problem_of
from endcap.core.rule import Rule
from endcap.core.times import format_time, parse_time

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EFFECTS = {
    "pin": "Pin products to slots",
    "boost": "Boost: score higher",
    "bury": "Bury: score lower",
    "filter": "Show only, or never show",
    "quota": "Fill a part of the slate",
    "badge": "Mark with a badge",
    "offer": "Make an offer",
}
_NUMBERS = {"factor": float, "slot": int, "count": int, "share": float}
_FIELDS = {
    "pin": ("slot", "products", "count", "forced"),
    "boost": ("factor",),
    "bury": ("factor",),
    "filter": ("mode",),
    "quota": ("share",),
    "badge": ("badge", "text"),
    "offer": ("offer",),
}


def fields_of(rule: Rule) -> dict[str, str]:
    """The form's fields of a rule."""
    made = msgspec.to_builtins(rule)
    found = {name: made.get(name, "") for name in ("title", "when", "where")}
    found |= {name: ", ".join(made.get(name, ())) for name in ("placements", "zones")}
    found |= {"priority": str(rule.priority), "enabled": "1" if rule.enabled else ""}
    effect = made["effect"]
    found["effect"] = effect.pop("type")
    for name, value in effect.items():
        found[name] = ", ".join(value) if isinstance(value, list | tuple) else _text(value)
    if rule.schedule is not None:
        schedule = rule.schedule
        found |= {"from": _local(schedule.from_), "until": _local(schedule.until)}
        found |= {f"month_{month}": "1" for month in schedule.months}
        found |= {f"weekday_{day}": "1" for day in schedule.weekdays}
        found |= {"hours": ", ".join(schedule.hours), "time_zone": schedule.time_zone}
    return found


def rule_of(form: dict[str, str]) -> Rule:
    """The rule of a form. Raises InvalidInput naming the fields that are not right."""
    problems: list[FieldProblem] = []
    made: dict[str, Any] = {name: form.get(name, "").strip() for name in ("title", "when", "where")}
    made |= {name: _several(form.get(name, "")) for name in ("placements", "zones")}
    made["priority"] = _number(form, "priority", "/priority", int, problems) or 0
    made["enabled"] = form.get("enabled") == "1"
    made["effect"] = _effect(form, problems)
    if schedule := _schedule(form):
        made["schedule"] = schedule
    if problems:
        raise InvalidInput("the rule cannot be kept", problems)
    try:
        return msgspec.convert(made, Rule)
    except msgspec.ValidationError as error:
        raise InvalidInput("the rule cannot be kept", [problem_of(error)]) from error


def _effect(form: dict[str, str], problems: list[FieldProblem]) -> dict[str, Any]:
    kind = form.get("effect", "")
    effect: dict[str, Any] = {"type": kind}
    for name in _FIELDS.get(kind, ()):
        text = form.get(name, "").strip()
        if name in _NUMBERS and text:
            at = f"/effect/{name}"
            effect[name] = _number(form, name, at, _NUMBERS[name], problems)
        elif name == "products":
            effect[name] = _several(text)
        elif name == "forced":
            effect[name] = text == "1"
        elif text:
            effect[name] = text
    return effect


def _schedule(form: dict[str, str]) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        name: form[name].strip() for name in ("from", "until") if form.get(name, "").strip()
    }
    if months := [n for n in range(1, 13) if form.get(f"month_{n}")]:
        schedule["months"] = months
    if weekdays := [n for n in range(1, 8) if form.get(f"weekday_{n}")]:
        schedule["weekdays"] = weekdays
    if hours := _several(form.get("hours", "")):
        schedule["hours"] = hours
    zone = form.get("time_zone", "").strip()
    if schedule and zone:
        schedule["time_zone"] = zone
    return schedule


def _several(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _number(
    form: dict[str, str], name: str, pointer: str, kind: type, problems: list[FieldProblem]
) -> Any:
    text = form.get(name, "").strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        problems.append(FieldProblem(pointer, "wrong_type", "must be a number"))
        return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _local(text: str | None) -> str:
    """A time as the field for dates and times takes it, in UTC."""
    return format_time(parse_time(text))[:16] if text else ""
