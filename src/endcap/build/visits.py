"""The parts of a snapshot that are made from sessions: their index, and transitions."""

import zlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.catalog.arrays import IntArray, LongArray
from endcap.core.times import MINUTE

from .behaviour import TableStep
from .engines.engine import Engine
from .parameters import BuildParameters
from .sessions import index_sessions
from .snapshot_writer import SnapshotWriter
from .transitions import follow


class Clicks(NamedTuple):
    """Clicks of sessions in the order of time, where each session begins, and whose it was.

    `first` is the number of the first session in the table `clicks`.
    """

    offsets: LongArray
    items: IntArray
    visitors: LongArray
    first: int


def clicks_of(engine: Engine, parameters: BuildParameters) -> Clicks:
    """Make the table `clicks`, and read the newest sessions of it."""
    values = {
        "pause_ms": parameters.session_minutes * MINUTE,
        "max_session_clicks": parameters.max_session_clicks,
    }
    engine.table("clicks", "clicks", values)
    count = engine.number("SELECT MAX(session) + 1 FROM clicks")
    first = max(0, count - parameters.max_sessions)
    rows = engine.query(
        f"SELECT session, place, visitor, product FROM clicks WHERE session >= {first}"
    )
    session = rows["session"] - first
    offsets = np.zeros(count - first + 1, np.int64)
    np.cumsum(np.bincount(session, minlength=count - first), out=offsets[1:])
    at = offsets[session] + rows["place"]
    items = np.empty(len(at), np.int32)
    items[at] = rows["product"]
    # The visitor of a session's last click; without one, a session is nobody's (0).
    last = np.flatnonzero(at == offsets[session + 1] - 1)
    visitors = np.zeros(count - first, np.int64)
    visitors[session[last]] = rows["visitor"][last]
    return Clicks(offsets, items, visitors, first)


def sessions(
    engine: Engine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The tables `sessions` and `transitions.<kind>`."""
    products = writer.products
    clicks = clicks_of(engine, parameters)
    visitors = visitor_codes(engine)[clicks.visitors]
    newest = parameters.session_postings
    index = index_sessions(clicks.offsets, clicks.items, visitors, products, newest)
    writer.table("sessions", index)
    sizes = np.bincount(clicks.items, minlength=products)
    del index, visitors
    for name, arrays in follow(engine, clicks.first, sizes, parameters.following):
        writer.table(f"transitions.{name}", arrays)
    engine.drop("clicks")


def visitor_codes(engine: Engine) -> npt.NDArray[np.uint32]:
    """The code of each visitor by number; 0 for nobody."""
    names = engine.query("SELECT name FROM visitors ORDER BY number")["name"]
    codes = (zlib.crc32(str(name).encode()) for name in names.tolist())
    return np.fromiter((0, *codes), np.uint32)


VISITS = TableStep("sessions", sessions)
