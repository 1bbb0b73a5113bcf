"""Fallback rungs: what fills a slate when the strategies alone do not."""

import numpy as np

from .blend import Share, contributions, retrieved
from .picks import Pick, Work
from .pins import Pinned
from .plan import Strategy
from .stages import Ranked


def filled(work: Work, picks: list[Pick], pins: list[Pinned]) -> tuple[list[Pick], str | None]:
    """The picks with fallback rungs added until the slots that are not pinned are full."""
    fallback = None
    needed = work.query.count - len(pins)
    for rung in work.plan.fallback:
        if len(picks) >= needed:
            break
        more = _rung(rung, work, picks, [pin.row for pin in pins], needed - len(picks))
        if more:
            fallback = rung.name
            picks = picks + more
        work.rungs.append((rung.name, len(more)))
    return picks, fallback


def _rung(
    rung: Strategy, work: Work, picks: list[Pick], pins: list[int], missing: int
) -> list[Pick]:
    """What a fallback rung adds to the picks so far; rerankers see both, and drop repeats."""
    query, state = work.query, work.state
    found = retrieved(rung, query, state, work.allow, 2 * query.count + len(picks) + len(pins))
    if not len(found.items):
        return []
    present = np.array([pick.row for pick in picks], np.int32)
    fresh = np.flatnonzero(~np.isin(found.items, np.concatenate([present, pins])))
    base = contributions("weighted", rung, found)[fresh]
    factor = work.rules.factor(found.items[fresh], work.plan.boost_cap)
    scores = base if factor is None else base * factor
    order = np.argsort(-scores, kind="stable")
    # Picks stay in front: a rung fills what is left, however well its products score.
    ahead = scores.max(initial=0.0) + np.arange(len(picks), 0, -1)
    both = Ranked(
        np.concatenate([present, found.items[fresh[order]]]).astype(np.int32),
        np.concatenate([ahead, scores[order]]),
    )
    places = np.arange(len(both.rows), dtype=np.int32)
    for reranker in work.plan.rerankers:
        kept = reranker.arrange(Ranked(both.rows[places], both.scores[places]), query, state)
        places = places[kept]
    chosen = [int(order[p - len(picks)]) for p in places.tolist() if p >= len(picks)][:missing]
    made = []
    for at in chosen:
        place = int(fresh[at])
        part = Share(rung, found, place, float(base[at]))
        times = 1.0 if factor is None else float(factor[at])
        row, score = int(found.items[place]), float(scores[at])
        made.append(Pick(row, score, rung.name, [part], float(base[at]), times))
    return made
