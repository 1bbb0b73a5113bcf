"""Pins and quotas: the effects of rules that put products into a slate."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import NO_ITEMS, BoolArray, IntArray
from endcap.core.rule import PinEffect, QuotaEffect

from .active_rule import ActiveRule
from .merchandising import RequestRules
from .query import Query, State
from .scan import first_allowed
from .stages import Allow


class Pinned(NamedTuple):
    """A row that a rule puts into a slot (from 0)."""

    slot: int
    row: int
    rule: ActiveRule


def pinned(
    rules: RequestRules, ordered: IntArray, query: Query, state: State, allow: Allow
) -> list[Pinned]:
    """The pins of the slate, by slot; a slot taken by an earlier rule sends a pin to the next.

    `ordered` are the candidates, best first. Pins obey eligibility; a forced one only has to be
    live, and not barred by the request itself.
    """
    slots: dict[int, Pinned] = {}
    used: set[int] = set()
    for rule in rules.pins:
        effect = rule.effect
        assert isinstance(effect, PinEffect)
        slot = effect.slot - 1
        for row in _rows(rule, effect, ordered, query, state, allow).tolist():
            if row in used:
                continue
            while slot in slots:
                slot += 1
            if slot >= query.count:
                break
            slots[slot] = Pinned(slot, row, rule)
            used.add(row)
    return [slots[slot] for slot in sorted(slots)]


def with_quotas(
    rules: RequestRules, ordered: IntArray, query: Query, state: State, allow: Allow
) -> tuple[IntArray, dict[int, ActiveRule]]:
    """`ordered` with the quotas met in its first `query.count`, and which rule moved a row there.

    The best matching candidates from below take the last places of those that do not match; when
    there are too few candidates, matching products are looked for in the whole catalogue.
    """
    moved: dict[int, ActiveRule] = {}
    for rule in rules.quotas:
        effect = rule.effect
        assert isinstance(effect, QuotaEffect)
        wanted = math.ceil(effect.share * query.count - 1e-9)
        top, rest = ordered[: query.count], ordered[query.count :]
        inside = rule.matches(top, query, state)
        missing = wanted - int(inside.sum())
        if missing <= 0:
            continue
        more = rest[rule.matches(rest, query, state)][:missing]
        if len(more) < missing:
            more = np.concatenate(
                [
                    more,
                    _found(
                        rule,
                        np.concatenate([ordered, more]),
                        query,
                        state,
                        allow,
                        missing - len(more),
                    ),
                ]
            )
        if not len(more):
            continue
        room = max(0, len(top) + len(more) - query.count)
        leaving = np.flatnonzero(~inside)[::-1][:room]
        top = np.concatenate([np.delete(top, leaving), more])
        ordered = np.concatenate([top, rest[~np.isin(rest, more)]]).astype(np.int32)
        moved.update(dict.fromkeys(more.tolist(), rule))
    return ordered, moved


def _rows(
    rule: ActiveRule,
    effect: PinEffect,
    ordered: IntArray,
    query: Query,
    state: State,
    allow: Allow,
) -> IntArray:
    if effect.products:
        rows = state.columns.rows(dict.fromkeys(effect.products))
        if effect.forced:
            barred = np.concatenate([query.seeds, query.excluded, query.taken])
            return rows[state.columns.alive[rows] & ~np.isin(rows, barred)]
        return rows[allow(rows)]
    best = ordered[rule.matches(ordered, query, state)][: effect.count]
    if len(best) < effect.count:
        more = _found(rule, best, query, state, allow, effect.count - len(best))
        best = np.concatenate([best, more])
    return best


def _found(
    rule: ActiveRule, known: IntArray, query: Query, state: State, allow: Allow, want: int
) -> IntArray:
    """Matching products from the whole catalogue: best sellers first, then the newest."""

    def matching(rows: IntArray) -> BoolArray:
        mask = allow(rows)
        mask &= ~np.isin(rows, known)
        places = np.flatnonzero(mask)
        mask[places] = rule.matches(rows[places], query, state)
        return mask

    rows = first_allowed(state.joined.ranked("365d"), matching, want)
    if len(rows) < want:
        fresh: Callable[[IntArray], BoolArray] = lambda r: matching(r) & ~np.isin(r, rows)  # noqa: E731
        newest = first_allowed(state.columns.newest_first(), fresh, want - len(rows))
        rows = np.concatenate([rows, newest])
    return rows if len(rows) else NO_ITEMS
