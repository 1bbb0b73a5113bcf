"""The parts of a snapshot that are made from sessions: their index, and transitions."""

import zlib

import numpy as np
import numpy.typing as npt

from endcap.core.times import MINUTE

from .behaviour import TableStep
from .engines.duckdb import DuckEngine
from .parameters import BuildParameters
from .sessions import index_sessions
from .snapshot_writer import SnapshotWriter
from .transitions import Sessions, follow


def sessions(
    engine: DuckEngine, writer: SnapshotWriter, parameters: BuildParameters, as_of: int
) -> None:
    """The tables `sessions` and `transitions.<kind>`."""
    products = writer.products
    values = {
        "pause_ms": parameters.session_minutes * MINUTE,
        "max_session_clicks": parameters.max_session_clicks,
    }
    clicks = engine.run("clicks", values)
    begins = np.flatnonzero(np.diff(clicks["unit"], prepend=clicks["unit"][:1] - 1))
    begins = begins[-parameters.max_sessions :]
    first = int(begins[0]) if len(begins) else 0
    items = clicks["product"][first:].astype(np.int32)
    offsets = np.append(begins - first, len(items)).astype(np.int64)
    codes = visitor_codes(engine)
    # The visitor of a session's last click; without one, a session is nobody's (0).
    last = np.append(begins, len(clicks["unit"]))[1:] - 1
    visitors = codes[clicks["visitor"][last]]
    newest = parameters.session_postings
    writer.table("sessions", index_sessions(offsets, items, visitors, products, newest))
    kinds = follow(Sessions(offsets, items, products), parameters.following)
    for name, arrays in kinds.items():
        writer.table(f"transitions.{name}", arrays)


def visitor_codes(engine: DuckEngine) -> npt.NDArray[np.uint32]:
    """The code of each visitor by number; 0 for nobody."""
    names = engine.query("SELECT name FROM visitors ORDER BY number")["name"]
    codes = (zlib.crc32(str(name).encode()) for name in names.tolist())
    return np.fromiter((0, *codes), np.uint32)


VISITS = TableStep("sessions", sessions)
