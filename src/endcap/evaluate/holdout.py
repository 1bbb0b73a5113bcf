"""A shop's own last days held out: a state built from the days before, and what was done then."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from endcap.build.archive import STATE, ArchiveState
from endcap.build.catalogue_export import export_catalogue
from endcap.build.engines.duckdb import DuckEngine
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, Progress, build
from endcap.build.visits import clicks_of
from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.errors import InvalidInput
from endcap.core.ports import Catalogue
from endcap.core.times import to_millis
from endcap.recommend.query import State
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot

from .pairs import Orders
from .session_data import Examples, Visits, examples_of

PAGE = 5_000


class Holdout(msgspec.Struct, frozen=True):
    """The shop as it was at `since` (UTC milliseconds), and the sessions and orders after it."""

    state: State
    since: int
    sessions: Examples
    orders: Orders


def hold_out(
    archive: Path, catalogue: Catalogue, shop: str, days: int, work: Path, progress: Progress
) -> Holdout:
    """Build from all but the archive's last `days` UTC days. `work` must be an empty folder.

    The catalogue is today's, with all products sellable: what was in stock then is not known.
    Raises InvalidInput when there are no days before those.
    """
    folders = sorted(folder for folder in archive.glob("day=*") if folder.is_dir())
    if not folders:
        raise InvalidInput("the archive is empty: there are no events to evaluate on")
    last = date.fromisoformat(folders[-1].name.removeprefix("day="))
    first = last - timedelta(days=days - 1)
    before = [f for f in folders if f.name < f"day={first.isoformat()}"]
    if days < 1 or not before:
        raise InvalidInput(f"days: there must be days before the last {days}")
    since = to_millis(datetime(first.year, first.month, first.day, tzinfo=UTC))
    past = work / "past"
    for folder in before:
        (past / folder.name).mkdir(parents=True)
        for part in folder.glob("*.parquet"):
            (past / folder.name / part.name).symlink_to(part.resolve())
    (past / STATE).write_bytes(msgspec.json.encode(ArchiveState()))
    exported = work / "exported"
    exported.mkdir()
    export_catalogue(catalogue, shop, exported)
    job = BuildInput(
        shop=shop,
        archive=past,
        exported=exported,
        work=work / "build",
        as_of=since,
        built_at=since,
    )
    snapshot = Snapshot.open(build(job, BuildParameters(), progress), verify=False)
    columns = Columns(shop)
    while documents := catalogue.changes(shop, columns.change, PAGE):
        columns.apply(documents)
    columns.sellable[:] = columns.alive
    state = State(columns, Joined(snapshot, columns), Cards(columns))
    parts = [str(part) for f in folders[len(before) :] for part in sorted(f.glob("*.parquet"))]
    sessions, orders = _events(parts, exported, snapshot.ids(), work)
    return Holdout(state, since, sessions, orders)


def _events(
    parts: Sequence[str], exported: Path, ids: list[str], work: Path
) -> tuple[Examples, Orders]:
    """Sessions and orders of the parts, read as a build reads them."""
    parameters = BuildParameters()
    names = np.array(ids, object)
    with DuckEngine(work, "1GB", 2) as engine:
        engine.load(parts, exported)
        clicks = clicks_of(engine, parameters)
        bought = engine.query(
            "SELECT DENSE_RANK() OVER (ORDER BY seq) - 1 AS number, product, "
            "COALESCE(visitor, -seq) AS customer, MAX(occurred_at) AS moment "
            "FROM lines WHERE type = 'purchase' GROUP BY seq, product, visitor ORDER BY 1, 2"
        )
    unit = np.repeat(np.arange(len(clicks.offsets) - 1), np.diff(clicks.offsets))
    visits = Visits(unit, names[clicks.items], None)
    orders = Orders(
        bought["number"], names[bought["product"]], bought["customer"], bought["moment"]
    )
    return examples_of(visits), orders
