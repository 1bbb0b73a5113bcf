"""What telemetry costs a request: off, to a collector that answers, and to one that hangs.

Each server answers the same requests in turn over one connection; processor time is the server's,
all threads together, from the kernel. `./run bench telemetry`.
"""

import argparse
import http.client
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from measure.processes import endcap, processor_time, server
from measure.report import median, report
from sinks import Hung, Sink

COLUMNS = ("collector", "CPU µs a request", "against off", "p50 ms", "p99 ms", "answered")


def ask(port: int, count: int) -> list[float]:
    """Seconds that each of `count` requests took; one that fails ends the bench."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    for n in range(count):
        began = time.perf_counter()
        connection.request("GET", f"/v1/recommendations/home?visitor=v{n}")
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - began)
        if answer.status != 200:
            sys.exit(f"answered {answer.status}")
    connection.close()
    return took


def main() -> None:
    options = _options()
    everything = {"ENDCAP_LOG_REQUESTS": "all", "ENDCAP_OTEL_SHARE": "1"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink, hung = Sink(), Hung()
        stack.callback(sink.close)
        stack.callback(hung.close)
        kinds = {"off": {}}
        for name, to in (("answers", sink), ("hangs", hung)):
            sentry = to.url.replace("://", "://key@") + "/1"
            kinds[name] = {"ENDCAP_OTEL_ENDPOINT": to.url, "ENDCAP_SENTRY_DSN": sentry}
        running = {}
        for name, extra in kinds.items():
            environ = {**os.environ, **everything, **extra, "ENDCAP_BUILD_EVERY": "0"}
            running[name] = stack.enter_context(server(endcap(folder / name), environ))
            ask(running[name].port, 200)
        cost: dict[str, list[float]] = {name: [] for name in kinds}
        took: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(options.rounds):
            for name, one in running.items():
                before = processor_time(one.pid)
                took[name] += ask(one.port, options.requests)
                cost[name].append(1e6 * (processor_time(one.pid) - before) / options.requests)
    rows = []
    for name in kinds:
        ordered = sorted(took[name])
        ratio = median([a / b for a, b in zip(cost[name], cost["off"], strict=True)])
        p50, p99 = (1_000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        rows.append((name, median(cost[name]), ratio, p50, p99, len(ordered)))
    title = f"{options.rounds} rounds of {options.requests:,}, every request traced and logged"
    report("telemetry", title, COLUMNS, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench telemetry", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


if __name__ == "__main__":
    main()
