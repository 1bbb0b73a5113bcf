"""`./run bench recommend`: recommend requests a second against an empty handler, in one run.

Both servers run as one process each with the same uvicorn; load alternates between them, and the
ratio is the median of the rounds' ratios.
"""

import argparse
import sys
from pathlib import Path

from measure.load import Load, closed, http, paced, with_wrk, write_requests
from measure.processes import Server, endcap, server
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
        closed(shop.port, recommend, options.warm_up)
        rounds = [
            (_loaded(empty, nothing, options), _loaded(shop, recommend, options))
            for _ in range(options.rounds)
        ]
        steady = {
            "empty": paced(empty.port, nothing, options.seconds, options.rate),
            "recommend": paced(shop.port, recommend, options.seconds, options.rate),
        }
    _report(options, rounds, steady)


def _loaded(target: Server, requests, options) -> Load:
    found = None
    if not options.own:
        found = with_wrk(target.port, requests, options.seconds, options.clients)
    return found or closed(target.port, requests, options.seconds, options.clients)


def _report(options, rounds, steady) -> None:
    failed = sum(load.failed for pair in rounds for load in pair)
    if failed:
        sys.exit(f"{failed} answers were not 2xx: the figures say nothing")
    rows = []
    for name, place in (("empty handler", 0), ("recommend", 1)):
        loads = [pair[place] for pair in rounds]
        at = steady["empty" if place == 0 else "recommend"]
        rows.append(
            (
                name,
                median([load.per_second for load in loads]),
                median([load.p50 for load in loads]),
                median([load.p99 for load in loads]),
                at.per_second,
                at.p50,
                at.p99,
            )
        )
    ratio = median([made.per_second / empty.per_second for empty, made in rounds])
    rows.append(("ratio", ratio, "", "", "", "", ""))
    mix = ", ".join(f"{name} {share:.0%}" for name, share in MIX)
    report(
        f"recommend-{options.products}-{options.events}",
        f"{options.products:,} products, {options.events:,} events, one process, "
        f"{options.clients} connections\n{mix}",
        ("", "requests/s", "p50 ms", "p99 ms", "paced req/s", "paced p50", "paced p99"),
        rows,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench recommend", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="a shop made before, taken as it is")
    parser.add_argument("--requests", type=int, default=5_000, help="different requests")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--warm-up", type=float, default=5)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rate", type=int, default=1_000, help="requests a second, paced")
    parser.add_argument("--own", action="store_true", help="not wrk, even when it is there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
