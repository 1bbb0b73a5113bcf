"""When a rule holds: dates, months, weekdays and hours in a time zone."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from endcap.core.errors import FieldProblem
from endcap.core.rule import Schedule
from endcap.core.times import parse_time

_HOURS = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)$")
MINUTES = 24 * 60


class Stretch(NamedTuple):
    """Minutes of the day from `start` up to `end`, over midnight when `end` is not later."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        """Whether the minute of the day lies within."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


def schedule_problems(schedule: Schedule, pointer: str) -> Iterator[FieldProblem]:
    """Everything wrong with a schedule."""
    moments = {}
    for name, text in (("from", schedule.from_), ("until", schedule.until)):
        if text is None:
            continue
        try:
            moments[name] = parse_time(text)
        except ValueError:
            message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
            yield FieldProblem(f"{pointer}/{name}", "invalid", message)
    if len(moments) == 2 and moments["from"] >= moments["until"]:
        yield FieldProblem(f"{pointer}/until", "out_of_range", "must be later than `from`")
    for name, values, last in (("months", schedule.months, 12), ("weekdays", schedule.weekdays, 7)):
        if any(not 1 <= value <= last for value in values):
            yield FieldProblem(f"{pointer}/{name}", "out_of_range", f"must be 1 to {last}")
    for place, text in enumerate(schedule.hours):
        if _stretch(text) is None:
            message = "must be like 09:00-18:00"
            yield FieldProblem(f"{pointer}/hours/{place}", "invalid", message)
    if _zone(schedule.time_zone) is None:
        message = f"`{schedule.time_zone[:60]}` is no time zone, like Europe/Berlin"
        yield FieldProblem(f"{pointer}/time_zone", "invalid", message)


def holds_at(schedule: Schedule) -> Callable[[int], bool]:
    """The schedule as a test of UTC milliseconds, of which whole seconds count.

    It must have no problems.
    """
    zone = _zone(schedule.time_zone)
    assert zone is not None
    begin = parse_time(schedule.from_) if schedule.from_ else None
    end = parse_time(schedule.until) if schedule.until else None
    months, weekdays = frozenset(schedule.months), frozenset(schedule.weekdays)
    hours = [stretch for text in schedule.hours if (stretch := _stretch(text)) is not None]

    def holds(now: int) -> bool:
        now -= now % 1_000
        if (begin is not None and now < begin) or (end is not None and now >= end):
            return False
        if not (months or weekdays or hours):
            return True
        local = datetime.fromtimestamp(now // 1_000, UTC).astimezone(zone)
        if months and local.month not in months:
            return False
        if weekdays and local.isoweekday() not in weekdays:
            return False
        return not hours or any(s.holds(_minute(local.time())) for s in hours)

    return holds


def is_over(schedule: Schedule | None, now: int) -> bool:
    """Whether the schedule will never hold again."""
    return bool(schedule and schedule.until and parse_time(schedule.until) <= now)


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _stretch(text: str) -> Stretch | None:
    found = _HOURS.match(text)
    if found is None:
        return None
    first, second, third, fourth = map(int, found.groups())
    start, end = first * 60 + second, third * 60 + fourth
    return None if end > MINUTES or start == end else Stretch(start, end)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
