"""Attribution and rollups: what counts, for whom, once; and folded in any order the same."""

import random

import duckdb
import pytest
from shop_log import SHOP, START, Story

from endcap.build.archive import archive
from endcap.build.reports import rollups
from endcap.build.reports.attribution import Attribution
from endcap.build.reports.live import LiveRollups
from endcap.build.reports.rollups import Rollups
from endcap.build.reports.tables import TABLES
from endcap.core.event import Served
from endcap.core.times import DAY, HOUR, MINUTE


class Shop:
    """A story with rollups over its log."""

    def __init__(self, folder, story=None, **attribution):
        self.story = story or Story()
        self.archive = folder / "archive"
        self.rollups = Rollups(
            self.archive, folder / "rollups", Attribution(**attribution), "500MB", 1
        )
        self.now = START

    def fold(self):
        archive(self.story.log, self.archive, SHOP, lambda done: None)
        self.rollups.fold()

    def live(self):
        return LiveRollups(
            self.story.log, SHOP, self.rollups,
            lambda done: archive(self.story.log, self.archive, SHOP, done),
            lambda: self.now,
        )  # fmt: skip

    def rows(self, sql):
        with self.live().open() as (database, _):
            return database.execute(sql).fetchall()

    def revenue(self, where="last"):
        rows = self.rows(
            f"SELECT placement, sum(amount_minor) FROM credits WHERE {where} "
            "AND kind IN ('purchase', 'refund') GROUP BY placement ORDER BY placement"
        )
        return {placement: int(amount) for placement, amount in rows}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def counts(shop):
    sql = "SELECT sum(served), sum(seen), sum(clicked), sum(slates) FROM shown"
    return tuple(int(n or 0) for n in shop.rows(sql)[0])


def test_served_seen_clicked_each_product_once(shop):
    story = shop.story
    token = story.serve("v", ["a", "b", "c"])
    for at in (1, 2):
        story.event("impression", "v", ["a", "b"], at * MINUTE, token=token)
        story.event("click", "v", ["a"], at * MINUTE, token=token)
    assert counts(shop) == (3, 2, 1, 1)


@pytest.mark.parametrize(
    ("visitor", "product", "token", "at"),
    [
        ("w", "a", None, MINUTE),  # another visitor with a token that was overheard
        ("v", "z", None, MINUTE),  # a product that the slate did not have
        ("v", "a", "made-up", MINUTE),  # a token that was never given
        ("v", "a", None, 26 * HOUR),  # a slate of yesterday's tab
    ],
)
def test_a_forged_or_stale_click_counts_nothing(shop, visitor, product, token, at):
    given = shop.story.serve("v", ["a"])
    shop.story.event("click", visitor, [product], at, token=token or given)
    shop.story.event("purchase", visitor, [(product, 1, 500)], at + MINUTE)
    assert counts(shop)[1:3] == (0, 0)
    assert shop.revenue() == {}


def test_an_anonymous_slate_may_be_clicked_by_anyone(shop):
    token = shop.story.serve("", ["a"])
    shop.story.event("click", "v", ["a"], MINUTE, token=token)
    assert counts(shop) == (1, 0, 1, 1)


def test_last_touch_and_any_touch(shop):
    story = shop.story
    first = story.serve("v", ["a"], placement="home")
    second = story.serve("v", ["a"], HOUR, placement="product")
    story.event("click", "v", ["a"], MINUTE, token=first)
    story.event("click", "v", ["a"], HOUR + MINUTE, token=second)
    story.event("purchase", "v", [("a", 2, 500), ("b", 1, 300)], 2 * HOUR, order="o1")
    assert shop.revenue() == {"product": 1_000}
    assert shop.revenue("true") == {"home": 1_000, "product": 1_000}


def test_the_window_ends_credit(tmp_path):
    for days, expected in ((3, {}), (7, {"product": 500})):
        shop = Shop(tmp_path / str(days), days=days)
        token = shop.story.serve("v", ["a"])
        shop.story.event("click", "v", ["a"], 0, token=token)
        shop.story.event("purchase", "v", [("a", 1, 500)], 5 * DAY)
        assert shop.revenue() == expected
    assert shop.revenue(f"last AND age <= {4 * DAY}") == {}


def test_view_through_is_off_until_asked_for(tmp_path):
    for on in (False, True):
        shop = Shop(tmp_path / str(on), view_through=on)
        token = shop.story.serve("v", ["a"])
        shop.story.event("impression", "v", ["a"], MINUTE, token=token)
        shop.story.event("purchase", "v", [("a", 1, 500)], HOUR)
        assert shop.revenue() == ({"product": 500} if on else {})


def test_a_click_goes_before_a_later_view(tmp_path):
    shop = Shop(tmp_path, view_through=True)
    one = shop.story.serve("v", ["a"], placement="home")
    other = shop.story.serve("v", ["a"], HOUR)
    shop.story.event("click", "v", ["a"], MINUTE, token=one)
    shop.story.event("impression", "v", ["a"], HOUR + MINUTE, token=other)
    shop.story.event("purchase", "v", [("a", 1, 500)], 2 * HOUR)
    assert shop.revenue() == {"home": 500}


def test_a_quick_add_from_the_slate_earns_credit(shop):
    token = shop.story.serve("v", ["a"])
    shop.story.event("cart_add", "v", ["a"], MINUTE, token=token)
    shop.story.event("purchase", "v", [("a", 1, 500)], HOUR)
    assert counts(shop) == (1, 0, 0, 1)
    assert shop.revenue() == {"product": 500}


def test_refunds_subtract_and_take_the_price_of_their_purchase(shop):
    story = shop.story
    token = story.serve("v", ["a"])
    story.event("click", "v", ["a"], 1, token=token)
    story.event("purchase", "v", [("a", 3, 500), ("b", 1, 200)], HOUR, order="o1")
    story.event("refund", "v", ["a"], 40 * DAY, order="o1")
    assert shop.revenue() == {"product": 1_000}
    (total,) = shop.rows("SELECT sum(amount_minor) FROM sales WHERE kind <> 'cart_add'")[0]
    assert total == 1_200


def test_an_order_that_comes_from_browser_and_server_counts_once(shop):
    story = shop.story
    token = story.serve("v", ["a"])
    story.event("click", "v", ["a"], 1, token=token)
    story.event("purchase", "v", [("a", 1, 500)], HOUR, order="o1", reported=700)
    shop.fold()
    story.event("purchase", "v", [("a", 1, 500)], 2 * DAY, order="o1", source="shopify")
    assert shop.revenue() == {"product": 500}
    assert shop.rows("SELECT sum(reported_minor), count(*) FROM sales") == [(700, 1)]


def test_programs_and_staff_count_nothing_that_day(tmp_path):
    shop = Shop(tmp_path, heavy=20)
    story = shop.story
    for visitor, traffic in (("bot", "bot"), ("anna", "staff"), ("v", None)):
        token = story.serve(visitor, ["a"])
        story.event("click", visitor, ["a"], MINUTE, token=token, traffic=traffic)
        story.event("purchase", visitor, [("a", 1, 500)], HOUR)
    greedy = story.serve("greedy", ["a"])
    for n in range(30):
        story.event("click", "greedy", ["a"], n * MINUTE, token=greedy)
    assert counts(shop) == (1, 0, 1, 1)
    assert shop.revenue() == {"product": 500}


def test_strategies_rules_and_fallback_are_kept(shop):
    shop.story.serve(
        "v", ["a", "b"], slots=[(("similar", "popular"), ("r1", "r2")), (("popular",), ())],
        fallback="popular", segments=("vip",), device="phone", zone="GB",
    )  # fmt: skip
    shop.story.serve("v", [])
    rows = shop.rows("SELECT strategy, rules, served, fallback_slates FROM shown ORDER BY strategy")
    assert rows == [("popular", [], 1, 0), ("similar", ["r1", "r2"], 1, 1), ("unknown", [], 0, 0)]
    products = shop.rows("SELECT product, strategy, served FROM assortment ORDER BY product")
    assert products == [("a", "similar", 1), ("b", "popular", 1)]
    assert counts(shop) == (2, 0, 0, 2)


def test_how_long_answers_took_is_kept_to_two_digits(shop):
    for micros in (7, 99, 101, 1_234, 1_299, 0):
        shop.story.serve("v", ["a", "b"], micros=micros)
    shop.fold()
    shop.story.serve("v", ["a"], MINUTE, micros=1_250)
    rows = shop.rows("SELECT placement, micros, slates FROM latency ORDER BY micros")
    assert rows == [("product", m, n) for m, n in ((7, 1), (99, 1), (110, 1), (1_300, 3))]


def random_story(seed):
    """Some weeks of everything at once, late and out of order."""
    rng = random.Random(seed)
    events, story = [], Story()
    for _ in range(150):
        visitor, at = rng.choice("uvwx"), rng.randrange(20 * DAY)
        products = rng.sample("abcdef", 3)
        token = f"t{len(events)}"
        placement = rng.choice(["home", "product"])
        events.append(
            lambda v=visitor, p=products, a=at, t=token, pl=placement: story.serve(
                v, p, a, pl, token=t, micros=rng_micros(t)
            )
        )
        if rng.random() < 0.3:
            tried = rng.sample("abcdef", 3)
            events.append(
                lambda v=visitor, p=tried, a=at, t=token, pl=placement: (
                    story.event(
                        "shadow", v, p, a, token=t, event_id=t, source="endcap-shadow",
                        placement=pl, served=Served(variant="1", micros=rng_micros(t)),
                    )
                )
            )  # fmt: skip
        for kind in ("impression", "click", "click", "cart_add"):
            if rng.random() < 0.5:
                later, one = at + rng.randrange(-HOUR, 30 * HOUR), rng.choice(products)
                extra = {"traffic": "bot"} if rng.random() < 0.02 else {}
                events.append(
                    lambda k=kind, v=visitor, p=one, a=later, t=token, x=extra: story.event(
                        k, v, [p], a, token=t, **x
                    )
                )
        if rng.random() < 0.6:
            order, later = f"o{rng.randrange(60)}", at + rng.randrange(9 * DAY)
            lines = [(rng.choice("abcdef"), rng.randrange(1, 4), 100 * rng.randrange(1, 9))]
            events.append(
                lambda v=visitor, li=lines, a=later, o=order: story.event(
                    "purchase", v, li, a, order=o
                )
            )
            if rng.random() < 0.4:
                events.append(
                    lambda v=visitor, li=lines, a=later, o=order: story.event(
                        "refund", v, [li[0][0]], a + 3 * DAY, order=o
                    )
                )
    rng.shuffle(events)
    return story, events


def rng_micros(token):
    return int(token[1:]) % 40 * 97


def contents(shop):
    return {table: sorted(map(str, shop.rows(f"SELECT * FROM {table}"))) for table in TABLES}


@pytest.mark.parametrize("seed", [1, 2])
def test_folding_bit_by_bit_is_folding_from_the_start(tmp_path, seed, monkeypatch):
    story, events = random_story(seed)
    shop = Shop(tmp_path / "bits", story)
    for place, write in enumerate(events):
        write()
        if place % 190 == 189:
            shop.fold()
    scratch = Shop(tmp_path / "scratch", story)
    scratch.fold()
    expected = contents(scratch)
    daily = Shop(tmp_path / "daily", story)
    with monkeypatch.context() as patched:
        patched.setattr(rollups, "CHUNK", 1)
        daily.fold()
    assert contents(daily) == expected
    assert all(expected.values())
    # Once with the newest events as a live tail, once with all of them folded.
    assert contents(shop) == expected
    shop.fold()
    assert contents(shop) == expected
    files = duckdb.execute(
        f"SELECT count(*) FROM read_parquet('{shop.rollups.folder}/sales/*/*.parquet')"
    ).fetchone()
    assert files == (len(expected["sales"]),)


def test_another_window_makes_the_rollups_anew(tmp_path):
    shop = Shop(tmp_path, days=3)
    token = shop.story.serve("v", ["a"])
    shop.story.event("click", "v", ["a"], 0, token=token)
    shop.story.event("purchase", "v", [("a", 1, 500)], 5 * DAY)
    shop.fold()
    assert shop.revenue() == {}
    assert Shop(tmp_path, shop.story, days=7).revenue() == {"product": 500}
