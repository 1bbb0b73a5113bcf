from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.rule import Schedule
from endcap.core.times import to_millis
from endcap.recommend.schedules import holds_at, is_over, schedule_problems


def at(text, zone="UTC"):
    return to_millis(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("schedule", "moment", "holds"),
    [
        (Schedule(), at("2026-01-01"), True),
        (Schedule(from_="2026-01-01T00:00:00Z"), at("2026-01-01"), True),
        (Schedule(from_="2026-01-01T00:00:00Z"), at("2025-12-31 23:59:59"), False),
        (Schedule(until="2026-01-01T00:00:00Z"), at("2026-01-01"), False),
        (Schedule(until="2026-01-01T00:00:00Z"), at("2025-12-31 23:59:59"), True),
        (Schedule(from_="2026-01-01T00:00:00+02:00"), at("2025-12-31 22:00"), True),
        (Schedule(months=(12, 1)), at("2026-12-05"), True),
        (Schedule(months=(12, 1)), at("2026-02-05"), False),
        (Schedule(weekdays=(1,)), at("2026-09-28"), True),
        (Schedule(weekdays=(7,)), at("2026-09-28"), False),
        (Schedule(hours=("09:00-17:00",)), at("2026-09-28 09:00"), True),
        (Schedule(hours=("09:00-17:00",)), at("2026-09-28 17:00"), False),
        (Schedule(hours=("22:00-06:00",)), at("2026-09-28 23:30"), True),
        (Schedule(hours=("22:00-06:00",)), at("2026-09-28 05:59"), True),
        (Schedule(hours=("22:00-06:00",)), at("2026-09-28 06:00"), False),
        (Schedule(hours=("00:00-24:00",)), at("2026-09-28 23:59"), True),
        (Schedule(hours=("08:00-09:00", "20:00-21:00")), at("2026-09-28 20:30"), True),
        # The same wall clock on both sides of the change to summer time.
        (Schedule(hours=("09:00-10:00",), time_zone="Europe/Berlin"), at("2026-01-05 08:30"), True),
        (Schedule(hours=("09:00-10:00",), time_zone="Europe/Berlin"), at("2026-07-06 07:30"), True),
        (
            Schedule(hours=("09:00-10:00",), time_zone="Europe/Berlin"),
            at("2026-07-06 08:30"),
            False,
        ),
        # Already Tuesday in Auckland.
        (Schedule(weekdays=(2,), time_zone="Pacific/Auckland"), at("2026-09-28 12:00"), True),
        (
            Schedule(months=(12,), weekdays=(4,), hours=("09:00-10:00",)),
            at("2026-12-24 09:30"),
            True,
        ),
        (
            Schedule(months=(12,), weekdays=(5,), hours=("09:00-10:00",)),
            at("2026-12-24 09:30"),
            False,
        ),
    ],
)
def test_every_part_that_is_given_must_fit(schedule, moment, holds):
    assert list(schedule_problems(schedule, "/schedule")) == []
    assert holds_at(schedule)(moment) is holds


def test_all_problems_are_named():
    wrong = Schedule(
        from_="soon",
        until="2026-01-01",
        months=(0,),
        weekdays=(8,),
        hours=("9-5", "24:00-25:00", "08:00-08:00"),
        time_zone="../etc/passwd",
    )
    pointers = {problem.pointer for problem in schedule_problems(wrong, "/schedule")}
    assert pointers == {
        "/schedule/from",
        "/schedule/months",
        "/schedule/weekdays",
        "/schedule/hours/0",
        "/schedule/hours/1",
        "/schedule/hours/2",
        "/schedule/time_zone",
    }
    turned = Schedule(from_="2026-02-01", until="2026-01-01")
    (problem,) = schedule_problems(turned, "/schedule")
    assert problem.pointer == "/schedule/until"


def test_over_means_never_again():
    schedule = Schedule(until="2026-01-01T00:00:00Z")
    assert is_over(schedule, at("2026-01-01"))
    assert not is_over(schedule, at("2025-12-31"))
    assert not is_over(None, at("2030-01-01"))


@given(
    st.integers(946_684_800, 2_208_988_800),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_the_local_clock_decides(moment, zone):
    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(zone))
    now = to_millis(local)
    fits = Schedule(
        months=(local.month,),
        weekdays=(local.isoweekday(),),
        hours=(f"{local.hour:02}:00-{local.hour + 1:02}:00",),
        time_zone=zone,
    )
    assert holds_at(fits)(now)
    other = Schedule(weekdays=(local.isoweekday() % 7 + 1,), time_zone=zone)
    assert not holds_at(other)(now)
