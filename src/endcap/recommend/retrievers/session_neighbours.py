"""What visitors with a session like the current one went on to look at, up to a minute ago."""

from typing import Any

import numpy as np

from endcap.core.answer import Reason
from endcap.recommend.query import Query, State
from endcap.recommend.session import recent, shares
from endcap.recommend.stages import NOTHING, Allow, Found, Retriever
from endcap.relations.neighbours import Neighbours, continued, matching, nearest, sessions_with
from endcap.relations.session_tail import visitor_code


class SessionNeighbours(Retriever, frozen=True, kw_only=True):
    """Session-kNN (VMIS-kNN, Kersbergen et al. 2022; V-SKNN, Ludewig & Jannach 2018; STAN, Garg
    et al. 2019) over the sessions of the snapshot and of the tail, the visitor's own left out.

    likeness(s) = sum over the products shared of exp(-lag / lag_decay) * idf ^ rarity, times
    exp(-age / (age_decay * N)); only the `newest` sessions of each of the session's `last`
    products are looked at, and the best `neighbours` kept. score(i) = sum over the neighbours with
    i of likeness * exp(-|distance to the newest product shared| / reach), times `back` when i came
    before it, times idf(i) ^ niche. The list of the best `keep` is made to sum to 1, after a
    square root when `flatten` is on. Lag is counted in clicks, age and N in sessions.
    """

    newest: int = 1_000
    neighbours: int = 200
    last: int = 20
    lag_decay: float = 2.0
    age_decay: float = 0.8
    rarity: float = 3.0
    reach: float = 2.0
    back: float = 0.7
    niche: float = 1.0
    flatten: bool = True
    keep: int = 120

    def retrieve(self, query: Query, state: State, allow: Allow, want: int) -> Found:
        """The best `keep` products of the neighbours."""
        if not len(query.session):
            return NOTHING
        near = self._neighbours(query, state)
        if not len(near.sessions):
            return NOTHING
        found = continued(state.sessions, near, self.reach, self.back)
        rarity = state.sessions.rarity(found.rows)
        scores = found.weights * (rarity if self.niche == 1 else rarity**self.niche)
        if self.flatten:
            scores = np.sqrt(scores)
        places, scores = shares(found.rows, scores, allow, max(want, self.keep))
        return Found(
            found.rows[places],
            scores,
            {"row": found.rows[places], "clicks": found.clicks, "alike": len(near.sessions)},
        )

    def reason(self, state: State, evidence: dict[str, Any], place: int) -> Reason:
        """How many visitors with a session like this one looked at it."""
        return self.reasons(state, evidence, [place])[0]

    def reasons(self, state: State, evidence: dict[str, Any], places: list[int]) -> list[Reason]:
        """The same of several."""
        alike = int(evidence["alike"])
        counted = sessions_with(evidence["clicks"], evidence["row"][places])
        return [_reason(sessions, alike) for sessions in counted.tolist()]

    def _neighbours(self, query: Query, state: State) -> Neighbours:
        pool = state.sessions
        rows, lags = recent(query.session, self.last)
        weights = np.exp(-lags / self.lag_decay) * pool.rarity(rows) ** self.rarity
        # A product that every session holds has rarity 0 but still tells the sessions apart.
        found = matching(pool, rows, np.maximum(weights, 1e-12), self.newest)
        if query.visitor and len(found.sessions):
            others = pool.others(found.sessions, visitor_code(query.visitor))
            found = found.taken(others)
        ages = pool.total - 1 - found.sessions
        aged = found.likeness * np.exp(-ages / (self.age_decay * max(1, pool.total)))
        return nearest(found._replace(likeness=aged), self.neighbours)


def _reason(sessions: int, alike: int) -> Reason:
    text = f"{sessions:,} of {alike:,} visitors with a session like yours looked at this"
    return Reason("session_neighbours", text, counts={"sessions": sessions, "alike": alike})
