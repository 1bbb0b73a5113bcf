"""Interleaving: both variants' slates mixed into one, for shops with little traffic.

Team draft after Radlinski, Kurup, Joachims, "How Does Clickthrough Data Reflect Retrieval
Quality?" (CIKM 2008). Each visitor compares both variants, so far fewer are needed than for A/B.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .assign import position
from .lift import NORMAL


class Drafted(NamedTuple):
    """One slot: the place of the item in its team's slate, and the team (0 or 1)."""

    product: str
    team: int
    place: int


def team_draft(one: Sequence[str], other: Sequence[str], count: int, seed: str) -> list[Drafted]:
    """Mix two slates; in each round a coin fixed by `seed` says which team picks first.

    A product that both slates have belongs to the team that picked it.
    """
    slates = (one, other)
    mixed: list[Drafted] = []
    taken: set[str] = set()
    at = [0, 0]
    turn = 0
    while len(mixed) < count:
        first = int(position(f"draft:{turn}", seed) >= 0.5)
        before = len(mixed)
        for team in (first, 1 - first):
            slate = slates[team]
            while at[team] < len(slate) and slate[at[team]] in taken:
                at[team] += 1
            if at[team] < len(slate) and len(mixed) < count:
                product = slate[at[team]]
                taken.add(product)
                mixed.append(Drafted(product, team, at[team]))
        turn += 1
        if len(mixed) == before:
            break
    return mixed


class Preference(NamedTuple):
    """How visitors chose: wins of each team, ties, and the two-sided p-value of the sign test."""

    wins: tuple[int, int]
    ties: int
    share: float
    p_value: float


def preference(wins_one: int, wins_other: int, ties: int) -> Preference:
    """Which team visitors clicked more; `share` is the second team's part, ties halved.

    The sign test: exact binomial up to 1,000 wins, then the normal approximation.
    """
    n = wins_one + wins_other
    total = n + ties
    share = (wins_other + ties / 2) / total if total else 0.5
    return Preference((wins_one, wins_other), ties, share, _sign_test(wins_one, n))


def _sign_test(wins: int, n: int) -> float:
    if not n:
        return 1.0
    fewer = min(wins, n - wins)
    if n > 1_000:
        return min(1.0, 2 * NORMAL.cdf((fewer + 0.5 - n / 2) / math.sqrt(n / 4)))
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))
