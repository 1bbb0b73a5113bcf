"""Trends, repurchase, searches and audiences against counts made by hand and by brute force."""

import itertools
from collections import defaultdict
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_kernels import NOW, SHOP, products_of, snapshot_of

from endcap.core.event import Event, Line, Served
from endcap.core.times import DAY, HOUR
from endcap.storage.memory_log import MemoryEventLog


def log_of(*events):
    """A log of `(hours ago, type, visitor, product, {…})`."""
    log = MemoryEventLog()
    made = []
    for number, (hours, kind, visitor, product, *rest) in enumerate(events):
        fields = rest[0] if rest else {}
        lines = (Line(product, 1, fields.get("price")),) if product else ()
        others = {k: v for k, v in fields.items() if k != "price"}
        made.append(
            Event(
                shop=SHOP,
                source="t",
                event_id=str(number),
                type=kind,
                visitor=visitor,
                occurred_at=NOW - int(hours * HOUR),
                received_at=NOW,
                lines=lines,
                **others,
            )
        )
    log.append(made, [])
    return log


def test_a_trend_counts_visitors_in_stretches(tmp_path):
    log = log_of(
        (1, "view", "v1", "a"),
        (2, "view", "v1", "a"),
        (3, "click", "v2", "a"),
        (4, "purchase", "v2", "a"),
        (30, "view", "v1", "a"),
        (31, "view", "v1", "a"),
        (60, "view", "v1", "a"),
        (71, "view", "v9", "b"),
        (24 * 40, "view", "v1", "b"),
    )
    snapshot = snapshot_of(products_of("a", "b"), log, tmp_path, trend_volume=1)
    table = snapshot.tables["trend"]
    # v1 looking, v2 looking and v2 buying; before that v1 on two days.
    assert table["recent"].tolist() == [3, 0]
    assert table["baseline"].tolist() == [2, 1]
    assert table["shape"].tolist() == [24 * HOUR, 28, NOW]


def test_a_young_log_has_a_short_baseline(tmp_path):
    log = log_of((1, "view", "v", "a"), (100, "view", "v", "a"))
    assert snapshot_of(products_of("a"), log, tmp_path / "y").tables["trend"]["shape"][1] == 3
    assert snapshot_of(products_of("a"), log_of(), tmp_path / "e").tables["trend"]["shape"][1] == 0


def test_a_quiet_shop_is_compared_by_the_week(tmp_path):
    week = [(24 * d + 1, "view", f"v{d}", "a") for d in range(7)]
    before = [(24 * (7 + 4 * d), "view", f"w{d}", "a") for d in range(8)]
    shape = snapshot_of(products_of("a"), log_of(*week, *before), tmp_path).tables["trend"]
    assert shape["shape"].tolist() == [7 * DAY, 4, NOW]
    assert (shape["recent"][0], shape["baseline"][0]) == (7, 7)


acts = st.lists(
    st.tuples(
        st.integers(0, 24 * 6),
        st.sampled_from(["view", "click", "cart_add", "purchase"]),
        st.sampled_from(["v1", "v2", "v3"]),
        st.sampled_from("abc"),
    ),
    max_size=25,
)
quiet = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@quiet
@given(acts)
def test_trends_equal_brute_force(tmp_path_factory, events):
    snapshot = snapshot_of(
        products_of(*"abc"), log_of(*events), tmp_path_factory.mktemp("t"), trend_stretches=3
    )
    table = snapshot.tables["trend"]
    buckets = int(table["shape"][1])
    seen = {
        (p, v, k if k in ("purchase", "cart_add") else "view", h // 24) for h, k, v, p in events
    }
    for number, product in enumerate("abc"):
        own = [stretch for p, _, _, stretch in seen if p == product]
        assert table["recent"][number] == own.count(0)
        assert table["baseline"][number] == sum(1 <= s <= buckets for s in own)


def test_repurchase_takes_the_products_own_median_then_the_categorys(tmp_path):
    days = [("v1", 0), ("v1", 30), ("v1", 60), ("v2", 5), ("v2", 45), ("v3", 1)]
    log = log_of(*(((100 - day) * 24, "purchase", visitor, "pods") for visitor, day in days))
    catalogue = products_of(
        {"id": "pods", "categories": ["Food > Coffee"]},
        {"id": "beans", "categories": ["Food > Coffee"]},
        {"id": "lamp", "categories": ["Home"]},
    )
    table = snapshot_of(catalogue, log, tmp_path, min_intervals=3).tables["repurchase"]
    beans, lamp, pods = range(3)
    assert (table["days"][pods], table["intervals"][pods], table["basis"][pods]) == (30, 3, 1)
    assert (table["days"][beans], table["intervals"][beans], table["basis"][beans]) == (30, 3, 2)
    assert (table["days"][lamp], table["basis"][lamp]) == (0, 0)
    few = snapshot_of(catalogue, log, tmp_path, min_intervals=4).tables["repurchase"]
    assert few["basis"].tolist() == [0, 0, 0]


@quiet
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.sampled_from(["v1", "v2"]), st.sampled_from(["a", "b", "c"])
        ),
        max_size=20,
    )
)
def test_repurchase_equals_brute_force(tmp_path_factory, bought):
    log = log_of(*((day * 24, "purchase", visitor, product) for day, visitor, product in bought))
    snapshot = snapshot_of(products_of(*"abc"), log, tmp_path_factory.mktemp("r"), min_intervals=2)
    days = defaultdict(set)
    for hours, visitor, product in bought:
        days[product, visitor].add((NOW - hours * DAY) // DAY)
    gaps = defaultdict(list)
    for (product, _), own in days.items():
        ordered = sorted(own)
        gaps[product] += [b - a for a, b in itertools.pairwise(ordered)]
    table = snapshot.tables["repurchase"]
    for number, product in enumerate("abc"):
        expected = median(gaps[product]) if len(gaps[product]) >= 2 else 0
        assert table["days"][number] == pytest.approx(expected)


def found_after(snapshot, term):
    names, table, ids = snapshot.texts("terms"), snapshot.tables["searched"], snapshot.ids()
    if term not in names:
        return None
    begin, end = table["offsets"][names.index(term) :][:2]
    return {
        ids[table["product"][at]]: tuple(
            int(table[c][at]) for c in ("clicks", "carts", "purchases")
        )
        for at in range(begin, end)
    }


def test_what_follows_a_search_counts_for_the_latest_one(tmp_path):
    s1, s2 = {"session": "s1"}, {"session": "s2"}
    log = log_of(
        (2.0, "search", "v1", None, {"query": "Blue  MUG!", **s1}),
        (1.9, "click", "v1", "mug", s1),
        (1.8, "purchase", "v1", "mug", s1),
        (1.7, "search", "v1", None, {"query": "lamp", **s1}),
        (1.6, "view", "v1", "lamp", s1),
        (1.5, "view", "v1", "mug", s2),
        (9.0, "search", "v2", None, {"query": "blue mug"}),
        (8.9, "cart_add", "v2", "mug"),
        (7.0, "view", "v2", "lamp"),
        (6.0, "search", "v3", None, {"query": "?!"}),
    )
    snapshot = snapshot_of(products_of("lamp", "mug"), log, tmp_path)
    assert snapshot.texts("terms") == ["blue mug", "lamp"]
    # v2's look at the lamp came two hours later and belongs to no search.
    assert found_after(snapshot, "blue mug") == {"mug": (1, 1, 1)}
    assert found_after(snapshot, "lamp") == {"lamp": (1, 0, 0)}


def best_of(snapshot, audience, window="30d"):
    names, ids = snapshot.texts("audiences"), snapshot.ids()
    table = snapshot.tables[f"audience.{window}"]
    begin, end = table["offsets"][names.index(audience) :][:2]
    return [(ids[table["product"][at]], int(table["buyers"][at])) for at in range(begin, end)]


def test_best_sellers_of_each_zone(tmp_path):
    uk, de = {"zone": "UK"}, {"zone": "DE"}
    log = log_of(
        *((n, "purchase", f"v{n}", "tea", uk) for n in range(1, 4)),
        (1, "purchase", "v1", "beer", uk),
        *((n, "purchase", f"w{n}", "beer", de) for n in range(1, 3)),
        (24 * 50, "purchase", "w9", "tea", de),
    )
    snapshot = snapshot_of(products_of("beer", "tea"), log, tmp_path)
    assert best_of(snapshot, "zone:UK") == [("tea", 3), ("beer", 1)]
    assert best_of(snapshot, "zone:DE") == [("beer", 2)]
    assert best_of(snapshot, "zone:DE", "365d") == [("beer", 2), ("tea", 1)]


def test_best_sellers_of_each_cohort(tmp_path):
    log = log_of(
        *((24 * d, "purchase", "regular", "tea", {"price": 20_000}) for d in (1, 10, 20)),
        (24, "view", "fresh", "beer"),
        (24 * 200, "purchase", "gone", "milk", {"price": 100}),
        (24 * 9, "purchase", "sorry", "water", {"price": 90_000}),
        (24 * 8, "refund", "sorry", "water", {"price": 90_000}),
    )
    snapshot = snapshot_of(products_of("beer", "milk", "tea", "water"), log, tmp_path)
    assert best_of(snapshot, "segment:new") == [("beer", 0)]
    assert best_of(snapshot, "segment:loyal") == [("tea", 1)]
    assert best_of(snapshot, "segment:lapsed", "365d") == [("milk", 1)]
    assert best_of(snapshot, "segment:big_spender") == [("tea", 1)]


def test_what_was_done_before_a_login_is_the_customers(tmp_path):
    log = log_of(
        (9, "purchase", "anna", "tea"),
        (8, "purchase", "browser", "beer"),
        (7, "merge", "anna", None, {"merged": "browser"}),
        (6, "purchase", "browser", "milk"),
        (5, "merge", "bert", None, {"merged": "browser"}),
        (4, "purchase", "bert", "tea"),
        (3, "purchase", "browser", "water"),
    )
    snapshot = snapshot_of(products_of("beer", "milk", "tea", "water"), log, tmp_path)
    relation, ids = snapshot.relations["also_bought"], snapshot.ids()
    pairs = {
        (ids[a], ids[relation.partner[at]])
        for a in range(len(ids))
        for at in range(relation.row(a).start, relation.row(a).stop)
    }
    # On a shared computer nobody inherits what another did before them.
    assert pairs == {("tea", "beer"), ("beer", "tea"), ("tea", "milk"), ("milk", "tea")}
    assert snapshot.manifest.counts["visitors"] == 3


def test_how_often_each_offer_was_made(tmp_path):
    def served(number, *offers):
        detail = Served(offers=offers, withheld=("kept-back",))
        lines = (Line("a"), Line("b"))
        return Event(
            shop=SHOP,
            source="endcap",
            event_id=f"s{number}",
            type="served",
            visitor="v",
            occurred_at=NOW,
            received_at=NOW,
            lines=lines,
            served=detail,
        )

    log = MemoryEventLog()
    log.append([served(1, "spring", "tea"), served(2, "spring"), served(3)], [])
    snapshot = snapshot_of(products_of("a", "b"), log, tmp_path)
    assert snapshot.texts("offers") == ["spring", "tea"]
    assert snapshot.tables["offers"]["times"].tolist() == [2, 1]


@quiet
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.sampled_from(["view", "cart_add", "purchase"]),
            st.sampled_from(["v1", "v2", "v3"]),
            st.sampled_from("ab"),
            st.sampled_from(["UK", "NO"]),
        ),
        max_size=20,
    )
)
def test_audiences_equal_brute_force(tmp_path_factory, done):
    log = log_of(*((24 * d + 1, k, v, p, {"zone": z}) for d, k, v, p, z in done))
    snapshot = snapshot_of(products_of("a", "b"), log, tmp_path_factory.mktemp("z"))
    for zone in {z for *_, z in done}:
        recent = {(k, v, p) for d, k, v, p, z in done if z == zone and 24 * d + 1 < 30 * 24}
        expected = {}
        for product in "ab":
            kinds = [k for k, _, p in recent if p == product]
            score = kinds.count("purchase") + 0.3 * kinds.count("cart_add")
            score += 0.05 * kinds.count("view")
            if score:
                expected[product] = (kinds.count("purchase"), pytest.approx(score))
        table = snapshot.tables["audience.30d"]
        number = snapshot.texts("audiences").index(f"zone:{zone}")
        begin, end = table["offsets"][number : number + 2]
        found = {
            snapshot.ids()[table["product"][at]]: (table["buyers"][at], table["score"][at])
            for at in range(begin, end)
        }
        assert found == expected
