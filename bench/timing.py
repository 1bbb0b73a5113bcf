"""`./run bench timing`: what a stopwatch tells of accounts and keys.

Signing in with a name that exists and one that does not, wrong password both, in turn: Welch's t
and Mann-Whitney's U on the times. Then keys that share a longer and longer beginning with a good
one: the correlation of the shared length with the time. A leak shows as |t| above 4 or |r| above
0.1.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from scipy import stats

from endcap.access.keys import _checksum, digest, is_key, new_key
from endcap.access.passwords import hashed
from endcap.core.accounts import Account, Key
from endcap.services.directory import Directory
from endcap.services.people import WrongPassword
from endcap.settings import read_settings
from endcap.wiring import open_installation
from measure.report import report

Row = tuple[str, object]


class Clock:
    """A minute later at every look, so that no limit stands in the way."""

    now = 1_782_000_000_000

    def __call__(self) -> int:
        self.now += 60_000
        return self.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=300)
    parser.add_argument("--keys", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(_measure(Path(folder), options.tries, options.keys))
    report("timing", "Signing in and keys, by the stopwatch", ("", "value"), rows)


async def _measure(folder: Path, tries: int, keys: int) -> list[Row]:
    settings = read_settings(None, {}, {"data": str(folder), "auth": "required"})
    async with open_installation(settings, Clock()) as installation:
        directory, people = installation.security.directory, installation.security.people
        account = Account(name="ana", roles=("viewer",), password=hashed("seven grey herons wade"))
        await directory.put("default", account, "bench")
        times: dict[str, list[float]] = {"ana": [], "bob": []}
        for n in range(tries + 5):
            for name, taken in times.items():
                begun = time.perf_counter()
                try:
                    await people.sign_in("default", name, "wrong words of some length", "10.0.0.1")
                except WrongPassword:
                    if n >= 5:
                        taken.append((time.perf_counter() - begun) * 1_000)
        good = new_key("secret")
        key = Key(id=good.id, kind="secret", digest=good.digest, scopes=("catalogue:read",))
        await directory.put("default", key, "bench")
        return [*_sign_ins(times["ana"], times["bob"]), *_keys(directory, good.text, keys)]


def _sign_ins(known: list[float], unknown: list[float]) -> list[Row]:
    welch = stats.ttest_ind(known, unknown, equal_var=False)
    return [
        ("sign-ins of each kind", len(known)),
        ("known name, median ms", statistics.median(known)),
        ("unknown name, median ms", statistics.median(unknown)),
        ("Welch's t", float(welch.statistic)),
        ("p of it", float(welch.pvalue)),
        ("p of Mann-Whitney's U", float(stats.mannwhitneyu(known, unknown).pvalue)),
    ]


def _keys(directory: Directory, good: str, count: int) -> list[Row]:
    """Look-ups of wrong keys; the slowest hundredth is left out."""
    chance = random.Random(7)
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    body, found = good[:-6], []
    for _ in range(count):
        length = chance.choice((7, 15, 23, 35, 45, 55, 65))
        text = body[:length] + "".join(chance.choice(alphabet) for _ in body[length:])
        text += _checksum(text)
        begun = time.perf_counter_ns()
        if is_key(text):
            directory.key(digest(text))
        found.append((length, (time.perf_counter_ns() - begun) / 1_000))
    limit = sorted(took for _, took in found)[int(count * 0.99)]
    kept = [(length, took) for length, took in found if took <= limit]
    correlation = stats.pearsonr([length for length, _ in kept], [took for _, took in kept])
    return [
        ("look-ups of wrong keys", count),
        ("median us", statistics.median(took for _, took in kept)),
        ("correlation of time with the shared beginning", float(correlation.statistic)),
        ("p of it", float(correlation.pvalue)),
    ]


if __name__ == "__main__":
    main()
