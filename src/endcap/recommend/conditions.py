"""Which rules of a placement are on for a request: worked out for all of them at once.

Rules are numbered; a set of rules is a whole number with one bit each. Rules with the same `when`
share one evaluation, and conditions that read the same fields are remembered by the values read,
so that a visitor with three orders costs what the last one with three orders did.
"""

from collections.abc import Sequence

from endcap.rules.evaluate import Environment
from endcap.rules.remembered import Read, Remembered

from .active_rule import ActiveRule, When
from .environment import values_of
from .query import Query, State
from .rule_tests import Condition

# So many seconds of the past are remembered with the rules that were on by their schedules.
SECONDS = 32


class Conditions:
    """Zones, schedules and `when` of some rules, the first rule being bit 0."""

    def __init__(self, rules: Sequence[ActiveRule]) -> None:
        self._all = (1 << len(rules)) - 1
        self._zoned: dict[str, int] = {}
        self._anywhere = self._unasked = self._anytime = 0
        self._timed: list[tuple[int, ActiveRule]] = []
        self._seconds: dict[int, int] = {}
        asked: dict[When, int] = {}
        for number, rule in enumerate(rules):
            bit = 1 << number
            for zone in rule.zones:
                self._zoned[zone] = self._zoned.get(zone, 0) | bit
            self._anywhere |= 0 if rule.zones else bit
            if rule.holds is None:
                self._anytime |= bit
            else:
                self._timed.append((bit, rule))
            if rule.when is None:
                self._unasked |= bit
            else:
                asked[rule.when] = asked.get(rule.when, 0) | bit
        self._groups, self._single = _grouped(asked)

    def on(self, query: Query, state: State) -> int:
        """The rules that are on."""
        on = self._all
        if self._zoned:
            on &= self._anywhere | self._zoned.get(query.zone or "", 0)
        if self._timed:
            on &= self._now(query.now)
        if self._unasked == self._all:
            return on
        held = self._unasked
        values = values_of(query, state)
        for bits, group in self._groups:
            if bits & on:
                held |= group(values)
        for bits, when in self._single:
            if bits & on and when(query, state):
                held |= bits
        return on & held

    def _now(self, now: int) -> int:
        """Those that hold by their schedules, which are looked at to the second."""
        second = now // 1_000
        found = self._seconds.get(second)
        if found is None:
            found = self._anytime
            for bit, rule in self._timed:
                assert rule.holds is not None
                if rule.holds(now):
                    found |= bit
            self._seconds[second] = found
            if len(self._seconds) > SECONDS:
                self._seconds.pop(next(iter(self._seconds)))
        return found


Group = tuple[int, Remembered[int]]


def _grouped(asked: dict[When, int]) -> tuple[list[Group], list[tuple[int, When]]]:
    """Conditions by the fields they read, and those that are no expressions."""
    single: list[tuple[int, When]] = []
    by_reads: dict[frozenset[Read], list[tuple[int, Condition]]] = {}
    for when, bits in asked.items():
        if isinstance(when, Condition):
            by_reads.setdefault(when.expression.reads, []).append((bits, when))
        else:
            single.append((bits, when))
    groups = [(_union(own), Remembered(reads, _Held(own))) for reads, own in by_reads.items()]
    return groups, single


def _union(own: list[tuple[int, Condition]]) -> int:
    union = 0
    for bits, _ in own:
        union |= bits
    return union


class _Held:
    """The rules whose conditions hold."""

    def __init__(self, conditions: list[tuple[int, Condition]]) -> None:
        self._conditions = [(bits, one.expression) for bits, one in conditions]

    def __call__(self, env: Environment) -> int:
        held = 0
        for bits, expression in self._conditions:
            if expression.holds(env):
                held |= bits
        return held
