"""Which of two interleaved variants visitors prefer: the sign test, at the end and at any time.

A visitor who clicked more products of one team is a win for it. When neither is preferred, each
win is a toss of a fair coin, because coins decide which team picks first.
"""

import math

import msgspec

from .lift import NORMAL, Interval

PRIOR = 10.0
"""Of the mixture behind the always-valid test: sharpest for wins of about 40 to 60 %."""
TINY = 1e-9


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """How visitors chose.

    `share` is the second team's part, ties halved. `win_rate` is its part of the wins alone, to
    which the intervals belong: `fixed` and `p_value` (two-sided) hold at the planned end only,
    `safe` and `safe_p` however often one looks. None while nobody chose.
    """

    wins: tuple[int, int]
    ties: int
    share: float
    win_rate: float | None
    p_value: float
    safe_p: float
    fixed: Interval
    safe: Interval

    @property
    def decided(self) -> int:
        """Visitors who preferred one."""
        return sum(self.wins)


def preference(wins_one: int, wins_other: int, ties: int, alpha: float = 0.05) -> Preference:
    """Which team visitors clicked more, from how many preferred each and how many neither."""
    n = wins_one + wins_other
    total = n + ties
    return Preference(
        wins=(wins_one, wins_other),
        ties=ties,
        share=(wins_other + ties / 2) / total if total else 0.5,
        win_rate=wins_other / n if n else None,
        p_value=_sign_test(wins_one, n),
        safe_p=min(1.0, math.exp(-log_evidence(wins_one, wins_other, 0.5))),
        fixed=wilson(wins_other, n, alpha),
        safe=safe_interval(wins_one, wins_other, alpha),
    )


def log_evidence(wins_one: int, wins_other: int, share: float) -> float:
    """The log of the evidence against the second team winning with chance `share`.

    Robbins' mixture with a Beta(a, a) prior: B(w + a, l + a) / B(a, a) / (share^w (1 - share)^l).
    While `share` is true this is a martingale from 1, so it ever reaches 1/alpha with a chance of
    alpha at most (Ville 1939; Robbins, "Statistical Methods Related to the Law of the Iterated
    Logarithm", 1970).
    """
    mixture = _log_beta(wins_other + PRIOR, wins_one + PRIOR) - _log_beta(PRIOR, PRIOR)
    return mixture - wins_other * math.log(share) - wins_one * math.log1p(-share)


def safe_interval(wins_one: int, wins_other: int, alpha: float) -> Interval:
    """The win rates that the evidence does not rule out at any time: an interval, by bisection."""
    n = wins_one + wins_other
    if not n:
        return Interval(None, None)
    middle = min(1 - TINY, max(TINY, wins_other / n))
    limit = -math.log(alpha)

    def edge(outside: float, inside: float) -> float:
        if log_evidence(wins_one, wins_other, outside) < limit:
            return outside
        for _ in range(50):
            half = (outside + inside) / 2
            if log_evidence(wins_one, wins_other, half) < limit:
                inside = half
            else:
                outside = half
        return inside

    return Interval(edge(TINY, middle), edge(1 - TINY, middle))


def wilson(wins: int, n: int, alpha: float) -> Interval:
    """The score interval of a proportion; Wilson (1927)."""
    if not n:
        return Interval(None, None)
    z = NORMAL.inv_cdf(1 - alpha / 2)
    share, size = wins / n, z * z / n
    reach = z * math.sqrt(share * (1 - share) / n + size / (4 * n))
    return Interval(
        (share + size / 2 - reach) / (1 + size), (share + size / 2 + reach) / (1 + size)
    )


def _sign_test(wins: int, n: int) -> float:
    """Two-sided; exact binomial up to 1,000 wins, then the normal approximation."""
    if not n:
        return 1.0
    fewer = min(wins, n - wins)
    if n > 1_000:
        return min(1.0, 2 * NORMAL.cdf((fewer + 0.5 - n / 2) / math.sqrt(n / 4)))
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**n))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
