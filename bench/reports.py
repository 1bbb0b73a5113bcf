# ruff: noqa: E501 - the SQL that makes the log reads best in long lines
"""`./run bench reports`: reports over a log of many events, with a live tail on top."""

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

from endcap.build.archive import COLUMNS, ArchiveState
from endcap.build.reports.attribution import Attribution
from endcap.build.reports.live import LiveRollups
from endcap.build.reports.performance import PerformanceReports
from endcap.build.reports.rollups import Rollups
from endcap.core.event import Event, Line, Origin, Served
from endcap.core.report import ReportQuestion
from endcap.core.times import DAY, format_time
from endcap.storage.memory_log import MemoryEventLog

END = 1_767_225_600_000  # 2026-01-01
DAYS = 30
SLOTS = 6
# Shares of events; a served slate and an impression have SLOTS lines.
SHARES = {"served": 15, "impression": 15, "click": 2, "view": 60, "cart_add": 5, "purchase": 3}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--tail", type=int, default=5_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as made:
        measure(options, options.folder or Path(made))


def measure(options: argparse.Namespace, folder: Path) -> None:
    archive, log = folder / "archive", MemoryEventLog()
    if not (archive / "archive.json").exists():
        timed("generate", lambda: write_archive(archive, options.events, options.products))
    rollups = Rollups(archive, folder / "rollups", Attribution(), "2GB", 2)
    timed("fold from scratch", rollups.fold)
    write_tail(log, options.events, options.tail)
    now = [END]
    live = LiveRollups(log, "default", rollups, lambda _: None, lambda: now[0])
    reports = PerformanceReports(live, lambda: options.products)
    for groups in (("placement",), ("strategy",), ("rule",), ("product",), ("day", "placement"),
                   ("variant", "device"), ("segment",)):  # fmt: skip
        question = ReportQuestion(
            group_by=groups,
            first=format_time(END - 27 * DAY)[:10],
            last=format_time(END)[:10],
            filters={},
            window=7,
        )
        now[0] += 10_000  # the kept database is too old: the tail is counted anew
        report = timed(
            f"report by {', '.join(groups)}, tail counted", partial(reports.report, question)
        )
        timed(f"report by {', '.join(groups)}, again", partial(reports.report, question))
        assert report.total["served"] > 0 and report.total["bought"] > 0, report.total
    print(msgspec.json.encode(report.total).decode())


def timed(name, work):
    began, burnt = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - began, time.process_time() - burnt
    print(f"{name:48} {1_000 * wall:9.0f} ms {1_000 * cpu:9.0f} ms of processors", flush=True)
    return result


def write_archive(folder: Path, events: int, products: int) -> None:
    """A log in which slates are seen, clicked and bought from by the visitors that had them."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"threads": 2, "memory_limit": "3GB", "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=config) as database:
        database.execute("SELECT setseed(0.5)")
        slates = events * SHARES["served"] // 100
        begin = END - DAYS * DAY
        # What each slate was; the rest follows from it by arithmetic on its number.
        database.execute(
            f"CREATE TABLE t AS SELECT i, {begin} + (i * {DAYS * DAY} // {slates}) AS moment, "
            f"'v' || (hash(i) % {max(1, slates // 5)}) AS visitor FROM range({slates}) r(i)"
        )
        item = (
            f"'p' || (floor(pow(hash(i * 31 + line) % 1000003 / 1000003.0, 2.5) * {products})::INT)"
        )
        dims = (
            "['home','product','cart','popular'][1 + (hash(i) % 4)::INT] AS placement, "
            "['GB','DE','FR'][1 + (hash(i + 1) % 3)::INT] AS zone, "
            "['phone','desktop'][1 + (hash(visitor) % 2)::INT] AS device"
        )
        lines = f"t, range({SLOTS}) l(line)"
        parts = [
            f"SELECT 'served' AS type, visitor, moment AS occurred_at, line, {item} AS product, "
            f"'t' || i AS token, {dims}, [['also_bought','similar','popular'][1 + (hash(i+line) % 3)::INT]] "
            "AS strategies, CASE WHEN hash(i + line) % 5 = 0 THEN ['spring'] END AS rules, "
            "CASE WHEN hash(i) % 10 = 0 THEN 'popular' END AS fallback, 'x1' AS experiment, "
            "['a','b'][1 + (hash(visitor) % 2)::INT] AS variant, ['vip','new'] AS segments, 400 + hash(i + 9) % 4000 AS micros, NULL AS price, "
            f"NULL AS order_id FROM {lines}",
            f"SELECT 'impression', visitor, moment + 2000, line, {item}, 't' || i, {dims}, NULL, NULL, "
            f"NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM {lines}",
        ]
        for kind, share, delay in (("click", 2, 9_000), ("cart_add", 5, 60_000)):
            parts.append(
                f"SELECT '{kind}', visitor, moment + {delay}, 0, {item.replace('line', '0')}, 't' || i, "
                f"{dims}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM t "
                f"WHERE hash(i + 7) % 1000 < {1_000 * share // SHARES['served']}"
            )
        parts.append(
            f"SELECT 'purchase', visitor, moment + 600000 + (hash(i + 5) % {3 * DAY})::BIGINT, 0, "
            f"{item.replace('line', '0')}, NULL, {dims}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
            f"500 + hash(i) % 5000, 'o' || i FROM t WHERE hash(i + 7) % 1000 < "
            f"{1_000 * SHARES['purchase'] // SHARES['served']}"
        )
        parts.append(
            f"SELECT 'view', visitor, moment + n * 1000, 0, {item.replace('line', 'n')}, NULL, {dims}, "
            f"NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM t, range(4) v(n)"
        )
        given = {
            "seq": f"(occurred_at - {begin}) // 10 + 1", "source": "'bench'", "currency": "'EUR'",
            "event_id": "type || occurred_at || visitor", "quantity": "1", "price_minor": "price",
            "received_at": "occurred_at", "session": "visitor", "line": "line::INTEGER",
        }  # fmt: skip
        have = {"type", "visitor", "occurred_at", "product", "token", "placement", "zone", "device",
                "strategies", "rules", "fallback", "experiment", "variant", "segments", "micros",
                "order_id"}  # fmt: skip
        columns = ", ".join(
            f"CAST({given.get(name, name if name in have else 'NULL')} AS {kind}) AS {name}"
            for name, kind in COLUMNS.items()
        )
        database.execute(
            f"COPY (SELECT {columns}, strftime(make_timestamp(occurred_at * 1000), '%Y-%m-%d') "
            f"AS day FROM ({' UNION ALL '.join(parts)})) TO '{folder}' "
            "(FORMAT parquet, PARTITION_BY (day), FILENAME_PATTERN 'part-000000000001-1-{i}', "
            "OVERWRITE_OR_IGNORE)"
        )
        rows, count = database.execute(
            f"SELECT count(*), count(*) FILTER (line = 0) FROM read_parquet('{folder}/*/*.parquet')"
        ).fetchone()
    print(f"{count:,} events, {rows:,} lines in {DAYS} days", file=sys.stderr)
    state = ArchiveState(DAYS * DAY // 10 * 2, count, rows)
    (folder / "archive.json").write_bytes(msgspec.json.encode(state))


def write_tail(log: MemoryEventLog, events: int, count: int) -> None:
    """Slates and clicks of the last minute, not archived yet."""
    first = DAYS * DAY // 10 * 2
    fresh = []
    for n in range(count):
        moment, visitor = END - 60_000 + n, f"v{n % 500}"
        token = f"tail{n // 2}"
        common = {
            "seq": first + n + 1, "shop": "default", "source": "bench", "event_id": str(n),
            "visitor": visitor if n % 2 == 0 else f"v{(n - 1) % 500}", "occurred_at": moment,
            "received_at": moment, "token": token,
        }  # fmt: skip
        if n % 2:
            fresh.append(Event(type="click", lines=(Line("p1"),), **common))
        else:
            served = Served(slots=(Origin(("similar",)),))
            fresh.append(
                Event(type="served", lines=(Line("p1"),), placement="home", served=served, **common)
            )
    # The log gives places from 1; these must follow the archive.
    log._events.extend(fresh)


if __name__ == "__main__":
    main()
