"""Interleaving: both variants' slates mixed into one, for shops with little traffic.

Team draft after Radlinski, Kurup, Joachims, "How Does Clickthrough Data Reflect Retrieval
Quality?" (CIKM 2008). Each visitor compares both variants, so far fewer are needed than for A/B.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .assign import position


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
