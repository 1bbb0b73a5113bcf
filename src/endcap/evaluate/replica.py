"""A shop in memory, built from a data set's events by the same code that builds a real shop."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from endcap.build.archive import COLUMNS, STATE, ArchiveState
from endcap.build.catalogue_export import export_catalogue
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, Progress, build
from endcap.catalog.cards import Cards
from endcap.catalog.columns import Columns
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.ports import Catalogue
from endcap.core.product import ProductWrite
from endcap.core.times import DAY
from endcap.recommend.query import State
from endcap.relations.joined import Joined
from endcap.relations.snapshot import Snapshot
from endcap.storage.memory_catalogue import MemoryCatalogue

# Sessions without times are laid one minute apart, clicks one second, up to this moment.
EPOCH = 1_700_000_000_000


class Lines(msgspec.Struct, frozen=True):
    """Product lines in the order of the log: arrays of one length.

    `event` numbers events (an order has several lines), `product` indexes `ids`, `session` and
    `visitor` are numbers (a negative session is none), `moment` UTC milliseconds.
    """

    kind: str
    event: npt.NDArray[np.int64]
    product: npt.NDArray[np.int64]
    session: npt.NDArray[np.int64]
    visitor: npt.NDArray[np.int64]
    moment: npt.NDArray[np.int64]


def replica(
    ids: Sequence[str],
    lines: Lines,
    work: Path,
    progress: Progress,
    parameters: BuildParameters,
    catalogue: Catalogue | None = None,
) -> State:
    """Archive the lines, build a snapshot of them, and open it. `work` must be an empty folder.

    `catalogue` has the products `ids`; left out, they have nothing but their ids.
    """
    as_of = int(lines.moment.max()) + 1 if len(lines.moment) else EPOCH
    _archive(ids, lines, work / "archive")
    if catalogue is None:
        catalogue = MemoryCatalogue()
        writes = [ProductWrite(product, msgspec.json.encode({"id": product})) for product in ids]
        catalogue.write(DEFAULT_SHOP, writes, as_of)
    exported = work / "exported"
    exported.mkdir()
    export_catalogue(catalogue, DEFAULT_SHOP, exported)
    job = BuildInput(
        shop=DEFAULT_SHOP,
        archive=work / "archive",
        exported=exported,
        work=work / "build",
        as_of=as_of,
        built_at=as_of,
    )
    snapshot = Snapshot.open(build(job, parameters, progress), verify=False)
    columns = Columns(DEFAULT_SHOP)
    columns.apply(catalogue.changes(DEFAULT_SHOP, 0, len(ids)))
    return State(columns, Joined(snapshot, columns), Cards(columns))


def _archive(ids: Sequence[str], lines: Lines, folder: Path) -> None:
    """One Parquet part in the form of the archive."""
    day = folder / "day=1970-01-01"
    day.mkdir(parents=True)
    count = len(lines.product)
    given = {
        "seq": "event + 1",
        "line": "0",
        "type": f"'{lines.kind}'",
        "source": "'evaluate'",
        "event_id": "event::VARCHAR",
        "visitor": "'v' || visitor",
        "session": "CASE WHEN session >= 0 THEN 's' || session END",
        "product": "names.id",
        "quantity": "1",
        "occurred_at": "moment",
        "received_at": "moment",
    }
    columns = ", ".join(f"{given.get(c, 'NULL')}::{kind} AS {c}" for c, kind in COLUMNS.items())
    part = str(day / f"part-{1:012}-{count:012}-0.parquet").replace("'", "''")
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.register("names", {"number": np.arange(len(ids)), "id": np.array(ids, object)})
        fields = ("event", "product", "session", "visitor", "moment")
        connection.register("lines", {name: getattr(lines, name) for name in fields})
        connection.execute(
            f"COPY (SELECT {columns} FROM lines JOIN names ON names.number = lines.product "
            f"ORDER BY event) TO '{part}' (FORMAT parquet)"
        )
    last = int(lines.event.max(initial=0)) + 1
    (folder / STATE).write_bytes(msgspec.json.encode(ArchiveState(last, last, count)))


def laid_out(
    sessions: npt.NDArray[np.int64], places: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Event numbers and moments for clicks that only have an order."""
    moment = EPOCH - (int(sessions.max(initial=0)) + 1 - sessions) * 60_000 + places * 1_000
    return np.arange(len(sessions), dtype=np.int64), np.minimum(moment, EPOCH + DAY)
