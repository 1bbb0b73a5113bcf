"""The checkpoint of the counters is what a fold of the log gives, and is not counted twice."""

import numpy as np
import pytest
from test_kernels import NOW, log_of, products_of, snapshot_of

from endcap.catalog.columns import Columns
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.times import DAY
from endcap.relations.counters import LIFETIMES, Counters
from endcap.relations.joined import Joined

IDS = "abcdef"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    rng = np.random.default_rng(11)
    kinds = ["view", "click", "cart_add", "purchase", "refund", "view"]
    events = [
        (
            kinds[rng.integers(6)],
            f"v{rng.integers(8)}",
            [IDS[rng.integers(6)]],
            {"days": float(rng.integers(0, 90)) / 2, "zone": ("EU", "US", None)[rng.integers(3)]},
        )
        for _ in range(300)
    ]
    log = log_of(*events)
    catalogue = products_of(*IDS)
    snapshot = snapshot_of(catalogue, log, tmp_path_factory.mktemp("counted"))
    columns = Columns(DEFAULT_SHOP)
    columns.apply(catalogue.changes(DEFAULT_SHOP, 0, 100))
    joined = Joined(snapshot, columns)
    restored = Counters.restored(
        snapshot.tables, snapshot.texts("counter_zones"), joined.rows, joined.ids
    )
    folded = Counters()
    for event in log.after(DEFAULT_SHOP, 0, 1_000):
        folded.fold(event, columns)
    return restored, folded, columns, log


def test_it_is_the_fold_of_the_log(both):
    restored, folded, columns, _ = both
    rows = np.arange(len(columns), dtype=np.int32)
    for window in LIFETIMES:
        for signal in ("views", "carts", "sales", "score"):
            for zone in (None, "EU", "US"):
                one, two = (
                    c.rate(rows, window, NOW + DAY, signal, zone) for c in (restored, folded)
                )
                assert one == pytest.approx(two, rel=1e-6, abs=1e-12)
                # What is so old that single precision has no number for it is left out.
                lasting = set(np.flatnonzero(two > 1e-20).tolist())
                orders = (
                    c.ranked(window, NOW + DAY, signal, zone).tolist() for c in (restored, folded)
                )
                order, other = ([row for row in o if row in lasting] for o in orders)
                assert order == other


def test_the_tail_does_not_count_todays_visitors_again(both):
    restored, _, columns, log = both
    rows = np.arange(len(columns), dtype=np.int32)
    before = restored.rate(rows, "1d", NOW).tolist()
    for event in log.after(DEFAULT_SHOP, 0, 1_000):
        if event.occurred_at // DAY >= NOW // DAY - 1:
            restored.fold(event, columns)
    assert restored.rate(rows, "1d", NOW).tolist() == before
