"""Next-basket evaluation: from each customer's baskets so far, what the next one holds."""

import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt

from endcap.core.errors import InvalidInput
from endcap.core.times import DAY
from endcap.ingest.fold import MAX_KEPT
from endcap.recommend.pipeline import Pipeline
from endcap.recommend.plan import Plan
from endcap.recommend.query import KIND, Query, State, Trail

from .measures import Collected
from .replica import EPOCH, Lines
from .sessions import Tick

Numbers = npt.NDArray[np.int64]


class Baskets(msgspec.Struct, frozen=True):
    """Lines by customer, then basket: customer and basket number, product name; `future` lines are
    those of the basket to foretell."""

    user: Numbers
    basket: Numbers
    item: npt.NDArray[Any]
    future: npt.NDArray[np.bool_]


def read_baskets(data: Path) -> Baskets:
    """`user, basket, item, split` with split `history` or `future`. Raises InvalidInput."""
    if not data.is_file():
        raise InvalidInput(f"there is no file {data}")
    reader = "read_parquet" if data.suffix == ".parquet" else "read_csv"
    path = str(data).replace("'", "''")
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(
                'SELECT dense_rank() OVER (ORDER BY "user") - 1 AS number, '
                "basket::BIGINT AS basket, "
                f"item::VARCHAR AS item, split = 'future' AS future FROM {reader}('{path}') "
                "ORDER BY number, basket, item"
            ).fetchnumpy()
    except duckdb.Error as error:
        raise InvalidInput(f"{data} needs user, basket, item, split: {error}") from error
    return Baskets(rows["number"], rows["basket"], rows["item"], rows["future"])


def lines_of_baskets(baskets: Baskets) -> tuple[list[str], Lines]:
    """Products in the order of their ids, and the history as purchases, a day between two
    baskets of a customer, everybody's last on the same day."""
    names, code = np.unique(baskets.item.astype(str), return_inverse=True)
    ids = sorted(names.tolist(), key=str.encode)
    place = {name: number for number, name in enumerate(ids)}
    code = np.array([place[name] for name in names.tolist()], np.int64)[code]
    past = ~baskets.future
    user, basket, product = baskets.user[past], baskets.basket[past], code[past]
    last = np.full(int(user.max(initial=0)) + 1, -1, np.int64)
    np.maximum.at(last, user, basket)
    moment = EPOCH - (last[user] - basket) * DAY
    # One event per basket, in the order of time.
    key = np.rec.fromarrays([moment, user])
    event = np.unique(key, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(event, kind="stable")
    none = np.full(len(user), -1, np.int64)
    return ids, Lines("purchase", event[order], product[order], none, user[order], moment[order])


def run_baskets(state: State, plan: Plan, baskets: Baskets, k: int, tick: Tick) -> Collected:
    """Answer for every customer with a future basket, from the events visitor state would keep."""
    pipeline, collected, columns = Pipeline(), Collected(k), state.columns
    begins = np.flatnonzero(np.diff(baskets.user, prepend=-1))
    ends = np.append(begins[1:], len(baskets.user))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        here = slice(begin, end)
        future, basket = baskets.future[here], baskets.basket[here]
        wanted = columns.rows(baskets.item[here][future].tolist())
        if not len(wanted):
            continue
        rows = columns.rows(baskets.item[here][~future][::-1].tolist())[:MAX_KEPT]
        past = basket[~future][::-1][:MAX_KEPT]
        times = EPOCH - (past.max(initial=0) - past) * DAY
        kinds = np.full(len(rows), KIND["purchase"], np.int8)
        owned = np.array(list(dict.fromkeys(rows.tolist())), np.int32)
        query = Query(
            now=EPOCH + DAY,
            count=k,
            trail=Trail(rows, kinds, times),
            owned=owned,
            visitor=f"v{int(baskets.user[begin])}",
        )
        begun = time.perf_counter()
        picks = pipeline.run(plan, query, state).picks
        spent = time.perf_counter() - begun
        collected.add(np.array([pick.row for pick in picks], np.int32), wanted, spent)
        if begin % 1_000 == 0:
            tick("answering", begin / len(baskets.user))
    return collected
