"""`./run bench recommend`: recommend requests a second against an empty handler, in one run.

Both servers run as one process each with the same uvicorn; load alternates between them, and the
ratio is the median of the rounds' ratios. On a machine that is busy with other work the processor
time per request (all threads of the server, from the kernel) says more than the requests a second.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import httpx

from measure.load import Load, closed, http, once, paced, with_wrk, write_requests
from measure.processes import Server, endcap, processor_time, server
from measure.report import OUT, median, report
from measure.requests import MIX, mixed
from ready import ready_shop
from synthetic.shop import environment


def main() -> None:
    options = _options()
    folder = options.folder or ready_shop(options.products, options.events)
    asks = mixed(folder, options.requests)
    recommend, nothing = OUT / "recommend.requests", OUT / "empty.requests"
    write_requests(recommend, [ask.raw() for ask in asks])
    write_requests(nothing, [http("GET", "/empty")])
    with (
        server(["-m", "measure.empty"], environment()) as empty,
        server(endcap(folder), environment()) as shop,
    ):
        if options.rules:
            publish(shop.port, options.rules)
        once(shop.port, recommend)
        rounds = [
            (_loaded(empty, nothing, options), _loaded(shop, recommend, options))
            for _ in range(options.rounds)
        ]
        steady = (
            paced(empty.port, nothing, options.seconds, options.rate),
            paced(shop.port, recommend, options.seconds, options.rate),
        )
    _report(options, rounds, steady)


def rules(count: int) -> list[dict[str, object]]:
    """As a busy shop has them: of ten, six always on, three for some visitors, one by seed."""
    made: list[dict[str, object]] = []
    for n in range(count):
        low = 1 + n % 97
        band = f"product.price >= {low}.0 && product.price < {low + 5}.0"
        kind = n % 10
        effect: dict[str, object] = {"type": "boost", "factor": 1.1}
        rule: dict[str, object] = {"where": band}
        if kind in (1, 4):
            effect = {"type": "bury", "factor": 0.9}
        elif kind == 5:
            effect = {"type": "filter", "mode": "never"}
            rule["where"] = f"product.price == {low}.37"
        elif kind in (6, 7, 8):
            rule["when"] = f"visitor.orders >= {kind - 5}"
        elif kind == 9:
            rule["where"] = f"product.price <= {1 + low / 100:.2f} * seed.price"
        made.append({"effect": effect, **rule})
    return made


def publish(port: int, count: int) -> None:
    """Put and publish the rules; a rule that is refused ends the bench."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        for n, rule in enumerate(rules(count)):
            client.put(f"/v1/rules/bench-{n:03}", json=rule).raise_for_status()
            client.post(f"/v1/rules/bench-{n:03}/publish?force=true").raise_for_status()


class Round(NamedTuple):
    """What one stretch of load saw, and the server's processor time per request in µs."""

    load: Load
    micros: float


def _loaded(target: Server, requests: Path, options: argparse.Namespace) -> Round:
    before = processor_time(target.pid)
    found = None
    if not options.own:
        found = with_wrk(target.port, requests, options.seconds, options.clients)
    found = found or closed(target.port, requests, options.seconds, options.clients)
    if found.failed:
        sys.exit(f"{found.failed} answers were not 2xx: the figures say nothing")
    return Round(found, 1e6 * (processor_time(target.pid) - before) / found.requests)


def _report(
    options: argparse.Namespace, rounds: list[tuple[Round, Round]], steady: tuple[Load, Load]
) -> None:
    rows = [
        _row(name, [pair[place] for pair in rounds], steady[place])
        for place, name in enumerate(("empty handler", "recommend"))
    ]
    ratio = median([made.load.per_second / empty.load.per_second for empty, made in rounds])
    micros = median([empty.micros / made.micros for empty, made in rounds])
    rows.append(("ratio", ratio, micros, "", "", "", "", ""))
    shop = options.folder or f"{options.products:,} products, {options.events:,} events"
    mix = ", ".join(f"{name} {share:.0%}" for name, share in MIX)
    report(
        f"recommend-{options.products}-{options.events}-{options.rules}",
        f"{shop}, one process, {options.clients} connections, {options.rules} rules\n{mix}",
        ("", "requests/s", "CPU µs", "p50 ms", "p99 ms", "paced req/s", "paced p50", "paced p99"),
        rows,
    )


def _row(name: str, rounds: list[Round], steady: Load) -> tuple[object, ...]:
    loads = [round_.load for round_ in rounds]
    return (
        name,
        median([load.per_second for load in loads]),
        median([round_.micros for round_ in rounds]),
        median([load.p50 for load in loads]),
        median([load.p99 for load in loads]),
        steady.per_second,
        steady.p50,
        steady.p99,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench recommend", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a shop made before, taken as it is")
    parser.add_argument("--requests", type=int, default=5_000, help="different requests")
    parser.add_argument("--rules", type=int, default=0, help="so many rules are published first")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rate", type=int, default=1_000, help="requests a second, paced")
    parser.add_argument("--own", action="store_true", help="not wrk, even when it is there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
