"""Replicas behind a load balancer, simulated from a seed: waiting, refusing, losing a replica.

Requests come at random moments (Poisson), go to the replica with the fewest under way, and are
worked off one at a time, in lognormal times around the measured mean. At a third of the run one
replica dies: what it had goes to others again, and until the balancer has noticed it goes on
sending to it, finds nobody there and tries the next. A replica with `limit_busy` under way refuses.
"""

import heapq
import math
import random
from collections import deque
from typing import NamedTuple


class Farm(NamedTuple):
    """What is simulated; times in seconds."""

    replicas: int
    requests: int
    service: float
    spread: float
    busy: float
    limit: int
    notice: float


class Outcome(NamedTuple):
    """Where every request went, and how long the answered ones took, in milliseconds."""

    arrived: int
    answered: int
    refused: int
    resent: int
    p50: float
    p99: float
    p99_lost: float
    at_most: int


def simulate(farm: Farm, seed: int) -> Outcome:
    """One run. The same seed gives the same outcome; arrived = answered + refused."""
    return _Run(farm, random.Random(seed)).go()


class _Run:
    def __init__(self, farm: Farm, chance: random.Random) -> None:
        self.farm, self.chance = farm, chance
        self.pace = farm.replicas * farm.busy / farm.service
        self.dies = farm.requests / self.pace / 3
        self.queues: list[deque[float]] = [deque() for _ in range(farm.replicas)]
        self.done: list[tuple[float, int, int, float]] = []
        self.took: list[tuple[float, float]] = []
        self.turn = self.refused = self.resent = self.at_most = 0
        self.dead = False

    def go(self) -> Outcome:
        now = 0.0
        for _ in range(self.farm.requests):
            now += -math.log(1.0 - self.chance.random()) / self.pace
            self._until(now)
            self._place(now, now)
        self._until(math.inf)
        times = sorted(took for _, took in self.took)
        end = self.dies + 2.0
        lost = sorted(took for came, took in self.took if self.dies <= came < end)
        return Outcome(
            self.farm.requests,
            len(times),
            self.refused,
            self.resent,
            1_000 * _at(times, 0.5),
            1_000 * _at(times, 0.99),
            1_000 * _at(lost, 0.99),
            self.at_most,
        )

    def _until(self, now: float) -> None:
        """Everything that happens before this moment."""
        if not self.dead and self.dies <= now:
            self._finish(self.dies)
            self._die()
        self._finish(now)

    def _finish(self, now: float) -> None:
        while self.done and self.done[0][0] <= now:
            at, _, replica, came = heapq.heappop(self.done)
            if self.dead and replica == 0:
                continue  # it died with this in its hands; that was sent on already
            self.took.append((came, at - came))
            queue = self.queues[replica]
            queue.popleft()
            if queue:
                self._begin(at, replica, queue[0])

    def _die(self) -> None:
        self.dead = True
        orphans, self.queues[0] = self.queues[0], deque()
        for came in orphans:
            self.resent += 1
            self._place(self.dies, came)

    def _place(self, now: float, came: float) -> None:
        if self.dead and now < self.dies + self.farm.notice and self._would_be_first():
            self.resent += 1  # nobody there: one more try, at another replica
        alive = range(1 if self.dead else 0, self.farm.replicas)
        replica = min(alive, key=lambda one: len(self.queues[one]))
        queue = self.queues[replica]
        if len(queue) >= self.farm.limit:
            self.refused += 1
            return
        queue.append(came)
        self.at_most = max(self.at_most, len(queue))
        if len(queue) == 1:
            self._begin(now, replica, came)

    def _would_be_first(self) -> bool:
        """A dead replica has nothing under way, so it has the fewest whenever others are busy."""
        return self.chance.random() < 1 / self.farm.replicas or all(self.queues[1:])

    def _begin(self, now: float, replica: int, came: float) -> None:
        s = self.farm.spread
        normal = math.sqrt(-2 * math.log(1.0 - self.chance.random())) * math.cos(
            2 * math.pi * self.chance.random()
        )
        self.turn += 1
        service = self.farm.service * math.exp(s * normal - s * s / 2)
        heapq.heappush(self.done, (now + service, self.turn, replica, came))


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
