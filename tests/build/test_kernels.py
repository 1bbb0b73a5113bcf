"""The counts of the kernels against counts made by hand and by brute force."""

import itertools
import math
from collections import defaultdict

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.build.archive import archive
from endcap.build.catalogue_export import export_catalogue
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, build
from endcap.core.event import Event, Line
from endcap.core.product import ProductWrite
from endcap.core.times import DAY
from endcap.relations.snapshot import Snapshot
from endcap.storage.memory_catalogue import MemoryCatalogue
from endcap.storage.memory_log import MemoryEventLog

SHOP = "default"
NOW = 1_700_000_000_000


def products_of(*entries):
    catalogue = MemoryCatalogue()
    for entry in entries:
        fields = {"id": entry} if isinstance(entry, str) else entry
        catalogue.write(SHOP, [ProductWrite(fields["id"], msgspec.json.encode(fields))], 1)
    return catalogue


def log_of(*events):
    log = MemoryEventLog()
    log.append(
        [
            Event(
                shop=SHOP,
                source="t",
                event_id=str(n),
                type=kind,
                visitor=visitor,
                session=rest.get("session"),
                zone=rest.get("zone"),
                occurred_at=NOW - int(rest.get("days", 0) * DAY),
                received_at=NOW,
                lines=tuple(Line(p) for p in products),
            )
            for n, (kind, visitor, products, rest) in enumerate(
                (*event, {}) if len(event) == 3 else event for event in events
            )
        ],
        [],
    )
    return log


def snapshot_of(catalogue, log, folder, **parameters):
    folder.mkdir(parents=True, exist_ok=True)
    exported = folder / "exported"
    exported.mkdir(exist_ok=True)
    archive(log, folder / "archive", SHOP, lambda done: None)
    export_catalogue(catalogue, SHOP, exported)
    job = BuildInput(
        shop=SHOP,
        archive=folder / "archive",
        exported=exported,
        work=folder / "work",
        as_of=NOW,
        built_at=NOW,
    )
    values = {"min_pairs": 1, "min_orders": 1, "min_lift": 0.0, **parameters}
    return Snapshot.open(build(job, BuildParameters(**values), lambda stage, done: None))


def rows_of(snapshot, name):
    relation, ids = snapshot.relations[name], snapshot.ids()
    found = {}
    for number, product in enumerate(ids):
        row = relation.row(number)
        for at in range(row.start, row.stop):
            values = {k: column[at].item() for k, column in relation.evidence.items()}
            values["score"] = relation.score[at].item()
            found[product, ids[relation.partner[at]]] = values
    return found


def totals_of(snapshot, name):
    totals = snapshot.relations[name].totals.tolist()
    return {p: t for p, t in zip(snapshot.ids(), totals, strict=True) if t}


def test_baskets_count_orders_and_visitors_count_people(tmp_path):
    log = log_of(
        ("purchase", "v1", ["a", "b"]),
        ("purchase", "v1", ["a", "b"]),
        ("purchase", "v1", ["c"]),
        ("purchase", "v2", ["a", "c", "c"]),
        ("view", "v2", ["b"]),
    )
    snapshot = snapshot_of(products_of("a", "b", "c"), log, tmp_path)
    together = rows_of(snapshot, "bought_together")
    assert {pair: row["pairs"] for pair, row in together.items()} == {
        ("a", "b"): 2,
        ("b", "a"): 2,
        ("a", "c"): 1,
        ("c", "a"): 1,
    }
    assert totals_of(snapshot, "bought_together") == {"a": 3, "b": 2, "c": 2}
    assert snapshot.relations["bought_together"].units == 4
    also = rows_of(snapshot, "also_bought")
    assert {pair: row["pairs"] for pair, row in also.items()} == {
        ("a", "b"): 1,
        ("b", "a"): 1,
        ("a", "c"): 2,
        ("c", "a"): 2,
        ("b", "c"): 1,
        ("c", "b"): 1,
    }
    assert totals_of(snapshot, "also_bought") == {"a": 2, "b": 1, "c": 2}
    assert snapshot.manifest.counts == {
        "lines": 9,
        "visitors": 2,
        "baskets": 4,
        "products": 3,
        "events": 5,
    }


def test_lift_and_llr_are_the_textbooks(tmp_path):
    baskets = [["a", "b"]] * 6 + [["a"]] * 4 + [["b"]] * 2 + [["c"]] * 8
    log = log_of(*(("purchase", f"v{n}", basket) for n, basket in enumerate(baskets)))
    snapshot = snapshot_of(products_of("a", "b", "c"), log, tmp_path)
    row = rows_of(snapshot, "bought_together")["a", "b"]
    table = np.array([[6.0, 4.0], [2.0, 8.0]])
    expected = table.sum(1, keepdims=True) @ table.sum(0, keepdims=True) / table.sum()
    assert row["pairs"] == 6
    assert row["lift"] == pytest.approx(6 * 20 / (10 * 8))
    assert row["llr"] == pytest.approx(2 * (table * np.log(table / expected)).sum(), rel=1e-5)


def test_the_score_is_the_documented_one(tmp_path):
    log = log_of(("purchase", "v1", ["a", "b"]), ("purchase", "v2", ["a"], {"days": 10}))
    snapshot = snapshot_of(products_of("a", "b"), log, tmp_path)
    rows = rows_of(snapshot, "bought_together")
    weight = 1 / math.sqrt(2)
    assert rows["a", "b"]["score"] == pytest.approx(weight / (2 + 10) / (1 + 5) ** 0.2, rel=1e-5)
    assert rows["b", "a"]["score"] == pytest.approx(weight / (1 + 10) / (2 + 5) ** 0.2, rel=1e-5)


def test_gates_hold_back_what_is_too_thin(tmp_path):
    log = log_of(
        *(("purchase", f"v{n}", ["a", "b"]) for n in range(3)), ("purchase", "w", ["a", "c"])
    )
    catalogue = products_of("a", "b", "c")
    loose = snapshot_of(catalogue, log, tmp_path / "loose")
    assert ("a", "c") in rows_of(loose, "bought_together")
    pairs = snapshot_of(catalogue, log, tmp_path / "pairs", min_pairs=2)
    assert set(rows_of(pairs, "bought_together")) == {("a", "b"), ("b", "a")}
    orders = snapshot_of(catalogue, log, tmp_path / "orders", min_orders=2)
    assert ("c", "a") not in rows_of(orders, "bought_together")
    assert ("a", "c") in rows_of(orders, "bought_together")
    lift = snapshot_of(catalogue, log, tmp_path / "lift", min_lift=1.01)
    assert rows_of(lift, "bought_together") == {}


def test_far_apart_purchases_make_no_pair(tmp_path):
    log = log_of(("purchase", "v", ["a"], {"days": 40}), ("purchase", "v", ["b"]))
    catalogue = products_of("a", "b")
    near = snapshot_of(catalogue, log, tmp_path / "near", bought_window_days=60)
    assert rows_of(near, "also_bought")["a", "b"]["pairs"] == 1
    far = snapshot_of(catalogue, log, tmp_path / "far", bought_window_days=30)
    assert rows_of(far, "also_bought") == {}


def test_heavy_visitors_and_wholesale_baskets_are_capped(tmp_path):
    days = [("purchase", "v", [p], {"days": 9 - n}) for n, p in enumerate("abcd")]
    log = log_of(*days, ("purchase", "w", list("abcd")))
    catalogue = products_of(*"abcd")
    snapshot = snapshot_of(catalogue, log, tmp_path, max_products_per_visitor=2, max_basket_lines=3)
    also = {pair: row["pairs"] for pair, row in rows_of(snapshot, "also_bought").items()}
    # v keeps the most recent c and d, w the first two by id of those bought at the same time.
    assert also == {("c", "d"): 1, ("d", "c"): 1, ("a", "b"): 1, ("b", "a"): 1}
    assert rows_of(snapshot, "bought_together") == {}


def test_viewed_together_counts_visits(tmp_path):
    log = log_of(
        ("view", "v", ["a"], {"session": "s1"}),
        ("click", "v", ["b"], {"session": "s1"}),
        ("view", "v", ["c"], {"session": "s2"}),
        ("view", "w", ["a"]),
        ("view", "w", ["b"]),
        ("view", "w", ["c"], {"days": 2}),
        ("view", "", ["a"]),
        ("view", "", ["c"]),
    )
    snapshot = snapshot_of(products_of("a", "b", "c"), log, tmp_path)
    viewed = {pair: row["pairs"] for pair, row in rows_of(snapshot, "also_viewed").items()}
    assert viewed == {("a", "b"): 2, ("b", "a"): 2}
    assert snapshot.relations["also_viewed"].units == 4


def test_what_is_not_in_the_catalogue_is_left_out(tmp_path):
    log = log_of(("purchase", "v", ["a", "gone", "b"]))
    snapshot = snapshot_of(products_of("a", "b", "unsold"), log, tmp_path)
    assert snapshot.ids() == ["a", "b", "unsold"]
    assert set(rows_of(snapshot, "bought_together")) == {("a", "b"), ("b", "a")}


def test_popularity_counts_people_within_the_window(tmp_path):
    log = log_of(
        ("purchase", "v1", ["a"]),
        ("purchase", "v1", ["a"]),
        ("purchase", "v2", ["a"], {"days": 3}),
        ("purchase", "v3", ["a"], {"days": 100}),
        ("refund", "v2", ["a"], {"days": 2}),
        ("refund", "v9", ["b"]),
        ("cart_add", "v4", ["b"]),
        *(("view", "bot", ["b"]) for _ in range(50)),
    )
    snapshot = snapshot_of(products_of("a", "b"), log, tmp_path)
    week, day, year = (snapshot.popularity[w] for w in ("7d", "1d", "365d"))
    assert week.buyers.tolist() == [2, 0]
    assert week.orders.tolist() == [2, 0]
    assert day.buyers.tolist() == [1, 0]
    assert year.buyers.tolist() == [3, 0]
    assert week.viewers.tolist() == [0, 1]
    assert week.score.tolist() == pytest.approx([2.0, 0.3 + 0.05])


def test_alike_by_rare_attributes_first(tmp_path):
    catalogue = products_of(
        {
            "id": "seed",
            "attributes": {"colour": "red", "shape": "star"},
            "price": "10",
            "currency": "EUR",
        },
        {
            "id": "star",
            "attributes": {"colour": "blue", "shape": "star"},
            "price": "10",
            "currency": "EUR",
        },
        {"id": "red1", "attributes": {"colour": "red"}, "price": "10", "currency": "EUR"},
        {"id": "red2", "attributes": {"colour": "red"}, "price": "90", "currency": "EUR"},
        {"id": "other", "attributes": {"colour": "green"}},
    )
    rows = rows_of(snapshot_of(catalogue, log_of(), tmp_path), "similar")
    partners = sorted((p for p in rows if p[0] == "seed"), key=lambda p: -rows[p]["score"])
    assert [p[1] for p in partners] == ["star", "red1", "red2"]
    assert rows["seed", "star"]["shared"] == 1
    assert rows["seed", "red2"]["closeness"] == pytest.approx(1 / 9)
    assert not any("other" in pair for pair in rows)


def test_variants_are_not_similar_to_each_other(tmp_path):
    catalogue = products_of(
        {"id": "a", "group": "g", "tags": ["x"]},
        {"id": "b", "group": "g", "tags": ["x"]},
        {"id": "c", "tags": ["x"]},
    )
    rows = rows_of(snapshot_of(catalogue, log_of(), tmp_path), "similar")
    assert set(rows) == {("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")}


def test_an_empty_shop_builds_an_empty_snapshot(tmp_path):
    snapshot = snapshot_of(products_of(), log_of(), tmp_path)
    assert snapshot.ids() == []
    assert rows_of(snapshot, "also_bought") == {}


def test_the_same_input_gives_the_same_bytes(tmp_path):
    log = log_of(*(("purchase", f"v{n % 7}", [f"p{n % 5}", f"p{n % 3}"]) for n in range(60)))
    catalogue = products_of(*(f"p{n}" for n in range(5)))
    one = snapshot_of(catalogue, log, tmp_path / "one").manifest
    two = snapshot_of(catalogue, log, tmp_path / "two").manifest
    assert one == two
    assert len(one.files) > 30


purchases = st.lists(
    st.tuples(
        st.sampled_from(["v1", "v2", "v3"]),
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(purchases)
def test_counts_equal_brute_force(tmp_path_factory, bought):
    log = log_of(*(("purchase", visitor, basket) for visitor, basket in bought))
    snapshot = snapshot_of(products_of(*"abcdef"), log, tmp_path_factory.mktemp("brute"))
    visitors = defaultdict(set)
    for visitor, basket in bought:
        visitors[visitor] |= set(basket)
    for name, units in (
        ("bought_together", [set(basket) for _, basket in bought]),
        ("also_bought", list(visitors.values())),
    ):
        pairs, totals = defaultdict(int), defaultdict(int)
        for unit in units:
            for product in unit:
                totals[product] += 1
            for pair in itertools.permutations(unit, 2):
                pairs[pair] += 1
        found = {pair: row["pairs"] for pair, row in rows_of(snapshot, name).items()}
        assert found == dict(pairs)
        assert totals_of(snapshot, name) == dict(totals)
        assert snapshot.relations[name].units == len(units)
