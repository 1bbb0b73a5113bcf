"""The rollup tables, how they are computed, and what their columns mean."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from endcap.build.archive import COLUMNS
from endcap.build.kernels import kernel

TABLES = (
    "shown",
    "latency",
    "assortment",
    "products",
    "touches",
    "sales",
    "credits",
    "visitors",
    "shadows",
)
# Tables that only count; the others have a row per visitor and thing.
COUNTS = {
    "shown": ("served", "seen", "clicked", "slates", "fallback_slates"),
    "latency": ("slates",),
    "assortment": ("served", "seen", "clicked"),
    "products": ("served", "seen", "clicked"),
}
# Kernels in the order in which they read each other.
COUNTING = ("excluded", "clean", "slates", "met", "shown", "latency", "assortment", "products")
STEPS = (*COUNTING, "touches", "sales", "credits", "visitors", "shadows")
# The columns of lines that the kernels read; others are long, and reading them takes time.
READ = (
    "seq, line, type, visitor, product, quantity, price_minor, currency, occurred_at, day, "
    "order_id, token, zone, device, placement, reported_minor, traffic, strategies, rules, "
    "fallback, experiment, variant, segments, micros"
)
_EARLIER = ("touches", "sales", "credits")
# Days of events read before the first day that is computed: a slate lives a day, and its first
# click is told from repeats.
CONTEXT_DAYS = 2

ABOUT = {
    "shown": "Products served, seen and clicked per day, placement, experiment, variant, strategy, "
    "rules, segments, zone and device; `slates` and `fallback_slates` count slates.",
    "latency": "Slates by how long the answer took (`micros`, rounded up to two digits), per day, "
    "placement, experiment, variant, zone and device.",
    "assortment": "Which products were served, seen and clicked per day, placement and strategy.",
    "products": "The same per day and product alone.",
    "touches": "First click or cart (or view, with view_through) per served product: token, "
    "product, visitor, touched_at (UTC ms) and what the slate was.",
    "sales": "Lines put in the cart, bought, refunded, each once; amounts in minor units, refunds "
    "negative; `reported_minor` is the shop's own total of the order.",
    "credits": "Lines of `sales` with the slates that earn them; `last` marks the last touch, "
    "`age` is the time from touch to line in ms.",
    "visitors": "Per day what each visitor met: slates, served, seen, clicked by placement and "
    "variant; first_served and first_seen in UTC ms.",
    "shadows": "Slates of drafts that were worked out but not shown, beside those that were shown: "
    "`drafted` and `shown` are lists of products.",
    "events": "The archived log: one row per product line of an event.",
}


def compute(
    connection: duckdb.DuckDBPyConnection,
    values: Mapping[str, int],
    earlier: Mapping[str, str],
    steps: Sequence[str] = STEPS,
) -> None:
    """Make the rollup tables from the relation `lines`.

    `earlier` gives, for touches, sales and credits, what the days before were folded into, as SQL
    of a relation; without it there is nothing before.
    """
    for step in steps:
        table = kernel(f"reports/{step}", values)
        if step in _EARLIER:
            _earlier(connection, step, earlier)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {step} AS {table}")


def lines_of(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    archived: Sequence[str],
    tail: Path | None = None,
) -> None:
    """Make the view `name` over archive files and an NDJSON file of newer rows."""
    names = ", ".join(COLUMNS)
    typed = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    sources = [f"SELECT {typed} WHERE false"]
    if archived:
        # A part written before a column came lacks it; that reads as NULL.
        sources.append(f"SELECT * FROM read_parquet({listed(archived)}, union_by_name = true)")
    if tail is not None:
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
        sources.append(
            f"SELECT * FROM read_json('{quoted(str(tail))}', format = 'newline_delimited', "
            f"columns = {{{columns}}})"
        )
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {names}, "
        "CAST(make_timestamp(occurred_at * 1000) AS DATE) AS day "
        f"FROM ({' UNION ALL BY NAME '.join(sources)})"
    )


def _earlier(connection: duckdb.DuckDBPyConnection, step: str, earlier: Mapping[str, str]) -> None:
    relation = earlier.get(step, _EMPTY[step])
    connection.execute(f"CREATE OR REPLACE TEMP VIEW earlier_{step} AS {relation}")


_DIMENSIONS = (
    "NULL::VARCHAR AS placement, NULL::VARCHAR AS experiment, NULL::VARCHAR AS variant, "
    "NULL::VARCHAR AS strategy, NULL::VARCHAR[] AS rules, NULL::VARCHAR[] AS segments, "
    "NULL::VARCHAR AS zone, NULL::VARCHAR AS device"
)
_EMPTY = {
    "touches": f"SELECT NULL::VARCHAR AS kind, NULL::VARCHAR AS token, NULL::VARCHAR AS product, "
    f"NULL::VARCHAR AS visitor, NULL::BIGINT AS touched_at, NULL::DATE AS day, {_DIMENSIONS} "
    "WHERE false",
    "sales": "SELECT NULL::VARCHAR AS kind, NULL::BIGINT AS seq, NULL::INTEGER AS line, "
    "NULL::VARCHAR AS order_id, NULL::VARCHAR AS visitor, NULL::VARCHAR AS product, "
    "NULL::BIGINT AS occurred_at, NULL::BIGINT AS price_minor, NULL::VARCHAR AS currency "
    "WHERE false",
    "credits": "SELECT NULL::VARCHAR AS kind, NULL::BIGINT AS seq, NULL::INTEGER AS line, "
    f"NULL::VARCHAR AS touch, NULL::VARCHAR AS token, {_DIMENSIONS}, NULL::BIGINT AS age, "
    "NULL::BOOLEAN AS last WHERE false",
}


def listed(files: Sequence[str]) -> str:
    """File names as an SQL list."""
    names = ", ".join("'" + quoted(file) + "'" for file in files)
    return f"[{names}]"


def quoted(text: str) -> str:
    """Text for between single quotes."""
    return text.replace("'", "''")
