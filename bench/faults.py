"""`./run faults`: the faults of docs/reliability.md in full, with a table of what was counted.

Real servers are started on free ports and killed, frozen, filled up and cut off. Exits 1 when
anything was lost, doubled or failed. The tests run the same code with fewer rounds.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

Row = tuple[str, str, bool]


@contextmanager
def database(kind: str, name: str) -> Iterator[tuple[Any, str]]:
    from servers import SERVERS

    server = SERVERS[kind]()
    try:
        yield server, server.create(name)
    finally:
        server.stop()


def kills_of_the_app(part: float, folder: Path) -> Iterator[Row]:
    from kills import kill_while_writing

    r = kill_while_writing(folder, _of(200, part), 1)
    text = f"{r.kills} kills, {r.acked:,} acked, {r.lost} lost, {r.duplicated} doubled"
    yield "R1 `kill -9` of the app (SQLite)", text, not (r.lost or r.duplicated or r.phantom)


def kills_of_databases(part: float, _: Path) -> Iterator[Row]:
    from breaking import kill_database
    from servers import SERVERS

    for kind in SERVERS:
        with database(kind, "killed") as (server, url):
            r = kill_database(server, url, _of(20, part))
        text = (
            f"{r.faults} kills, {r.acked:,} acked, {r.lost} lost, {r.duplicated} doubled, "
            f"back after at most {r.slowest_return:.1f} s"
        )
        good = not (r.lost or r.duplicated or r.phantom or r.problems)
        yield f"R2 `kill -9` of {kind}", text, good


def power_cuts(part: float, folder: Path) -> Iterator[Row]:
    from tracing import cut_power

    for synchronous, wanted in (("FULL", False), ("NORMAL", True)):
        (folder / synchronous).mkdir()
        r = cut_power(folder / synchronous, _of(300, part), _of(1_000, part), synchronous)
        text = (
            f"{r.cuts} cuts, {r.looked_for:,} acked events looked for after them, {r.lost:,} lost, "
            f"{r.corrupt} corrupt"
        )
        control = " (negative control: must lose)" if wanted else ""
        good = bool(r.lost) is wanted and not r.corrupt
        yield f"R3 power cuts, synchronous={synchronous}{control}", text, good


def syncs(part: float, folder: Path) -> Iterator[Row]:
    from breaking import synced_before_ack

    count = _of(100, part)
    good = synced_before_ack(folder, count)
    text = f"{good} of {count} answers after a sync that followed their reading"
    yield "R4 sync before the answer", text, good == count


def full_disks(part: float, folder: Path) -> Iterator[Row]:
    from breaking import fill_disk, small_disk

    with small_disk(folder / "disk", "24m") as disk:
        r = fill_disk(disk, _of(50, part))
    text = (
        f"{r.faults} episodes, {r.acked:,} acked, {r.refused:,} refused, {r.lost} lost, "
        f"taken again after at most {r.slowest_return:.2f} s"
    )
    yield "R5 full disk", text, not (r.lost or r.duplicated or r.problems)


def three_times(part: float, folder: Path) -> Iterator[Row]:
    from pressing import send_thrice
    from servers import SERVERS

    ids = _of(100_000, part)
    for kind in ("sqlite", *SERVERS):
        with ExitStack() as stack:
            url = stack.enter_context(database(kind, "thrice"))[1] if kind in SERVERS else ""
            replicas = 3 if url else 1
            kills = _of(6, part) if url else 0
            r = send_thrice(url, folder / kind, ids, kills, replicas)
        text = (
            f"{r.ids:,} ids over {replicas} replicas, {r.kills} of them killed, {r.sent:,} sends "
            f"acked, {r.accepted:,} accepted, {r.stored:,} stored, {r.doubled} doubled, "
            f"{r.missing} missing, {r.seconds:.0f} s"
        )
        good = r.stored == r.ids and not (r.doubled or r.missing or r.twice)
        good = good and r.sent == 3 * r.ids and (r.accepted == r.ids or r.kills > 0)
        yield f"R6 three times to {kind}", text, good


def overloaded(part: float, folder: Path) -> Iterator[Row]:
    from pressing import overload

    r = overload(folder / "shop", 60 * part, clients=640, most=64)
    goodput = r.taken / r.seconds
    text = (
        f"{(r.taken + r.refused) / r.seconds:,.0f} requests/s where {r.peak:,.0f} can be answered; "
        f"{r.taken:,} answered ({goodput / r.peak:.0%} of what the server alone does), p99 "
        f"{r.taken_p99_ms:,.0f} ms; {r.refused:,} refused with 503 and Retry-After, p99 "
        f"{r.refused_p99_ms:,.0f} ms; {len(r.odd)} other answers; {r.acked:,} events acked, "
        f"{r.lost} lost; {r.health} health checks, {r.unhealthy} failed, p99 "
        f"{r.health_p99_ms:.0f} ms; memory {r.grown:+.0%}; "
        f"{r.refused_after} of {r.after + r.refused_after} refused right after"
    )
    good = not (r.odd or r.lost or r.unhealthy or r.refused_after) and r.refused > r.taken > 0
    yield "R16 overload", text, good


def slow_clients(part: float, folder: Path) -> Iterator[Row]:
    from pressing import dawdle

    r = dawdle(folder / "shop", _of(125, part), patience=5.0)
    text = (
        f"{r.slow} clients that send nothing, trickle a head, trickle a body or do not read: "
        f"{r.freed} cut off; beside them {r.answered} of {r.asked} quick requests answered, p99 "
        f"{r.beside_p99_ms:.0f} ms (alone {r.alone_p99_ms:.0f} ms); files open {r.files_before} "
        f"before, {r.files_after} after"
    )
    good = r.freed == r.slow and r.answered == r.asked and r.files_after <= r.files_before + 2
    yield "R18 slow clients", text, good


def behind_haproxy(part: float, folder: Path) -> Iterator[Row]:
    return behind_balancer("haproxy", part, folder)


def behind_nginx(part: float, folder: Path) -> Iterator[Row]:
    return behind_balancer("nginx", part, folder)


def behind_balancer(kind: str, part: float, folder: Path) -> Iterator[Row]:
    from balancing import Behind, freeze_one, kill_every, restart_each

    with database("postgresql", f"behind_{kind}") as (_, url):
        behind = Behind(kind, url, folder / kind)
        try:
            r = kill_every(behind, _of(30, part))
            yield f"R11 `kill -9` of replicas behind {kind}", _calls(r), _is_good(r)
            r = restart_each(behind, _of(3, part))
            yield f"R12 rolling restarts behind {kind}", _calls(r), _is_good(r)
            r, ejected = freeze_one(behind)
            left = f", left out after {ejected:.2f} s" if kind == "haproxy" else ""
            yield f"R11 hung replica behind {kind}", _calls(r) + left, _is_good(r)
        finally:
            behind.close()


def _calls(r: Any) -> str:
    for problem in r.problems:
        print(f"<!-- {problem} -->", file=sys.stderr)
    return (
        f"{r.kills} times, {r.gets:,} GET and {r.posts:,} POST, {r.failed} failed, {r.lost} lost, "
        f"slowest {r.slowest:.2f} s"
    )


def _is_good(r: Any) -> bool:
    return not (r.failed or r.lost or r.duplicated)


def _of(full: int, part: float) -> int:
    return max(1, round(full * part))


FAULTS: dict[str, Callable[[float, Path], Iterator[Row]]] = {
    "app": kills_of_the_app,
    "databases": kills_of_databases,
    "power": power_cuts,
    "sync": syncs,
    "disk": full_disks,
    "thrice": three_times,
    "overload": overloaded,
    "slow": slow_clients,
    "haproxy": behind_haproxy,
    "nginx": behind_nginx,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run faults", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(FAULTS)}; none: all")
    parser.add_argument("--part", type=float, default=1.0, help="this part of the full counts")
    options = parser.parse_args()
    unknown = set(options.names) - set(FAULTS)
    if unknown:
        parser.error(f"no fault {', '.join(sorted(unknown))}")
    wrong = []
    print("| fault | counted | |\n|---|---|---|", flush=True)
    for name in options.names or FAULTS:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for title, text, good in FAULTS[name](options.part, Path(folder)):
                verdict = "as promised" if good else "BROKEN"
                print(f"| {title} | {text} | {verdict} |", flush=True)
                wrong += [] if good else [title]
        print(f"<!-- {name}: {time.monotonic() - begun:.0f} s -->", flush=True)
    if wrong:
        sys.exit(f"broken: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
