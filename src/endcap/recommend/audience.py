"""Best sellers of a part of the customers, as the snapshot counted them."""

from typing import NamedTuple

import numpy as np

from endcap.catalog.arrays import FloatArray, IntArray

from .query import Query, State


class Audience(NamedTuple):
    """One audience's ranking in a window: rows (-1: gone by now), scores, and where in the
    snapshot's table it begins."""

    name: str
    rows: IntArray
    scores: FloatArray
    begin: int


def audience_of(among: str, window: str, query: Query, state: State) -> Audience | None:
    """The ranking of the request's zone, or of the first of the visitor's segments that has one."""
    names: list[str] = []
    if among == "zone" and query.zone is not None:
        names = [f"zone:{query.zone}"]
    elif among == "segment":
        names = [f"segment:{segment}" for segment in sorted(query.traits.segments)]
    table = state.joined.table(f"audience.{window}")
    for name in names:
        number = state.joined.audience(name)
        if number is None or table is None:
            continue
        begin, end = table["offsets"][number : number + 2].tolist()
        if end > begin:
            rows = state.joined.rows_of(table["product"][begin:end])
            return Audience(name, rows, table["score"][begin:end].astype(np.float64), begin)
    return None
