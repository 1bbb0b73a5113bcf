"""A clothes shop over some months: what trends, what is new, zones, badges, searches, lists."""

import pytest

COLOURS = ("red", "blue", "green")


def fashion(story):
    # The shop opened long ago with most of its products.
    story.later(days=-100)
    for n in range(12):
        story.put(
            f"shirt-{n}",
            categories=["Clothes > Shirts"],
            brand="Nord" if n % 2 else "Sud",
            price=f"{20 + n}.00",
            stock=50,
            attributes={"colour": COLOURS[n % 3]},
        )
    for n in range(4):
        story.put(f"hat-{n}", categories=["Clothes > Hats"], brand="Kap", price="15.00", stock=40)
    story.put("scarf", categories=["Clothes > Winter"], brand="Kap", price="30.00", stock=9)
    story.put("umbrella", categories=["Rain"], price="20.00", stock=30)
    story.later(days=100)
    events = []
    # Every shirt sells, the first ones most; shirt-0 is in demand every day.
    for n in range(12):
        events += [
            story.event("purchase", f"p{n}-{v}", f"shirt-{n}", days=10 + v % 12)
            for v in range(14 - n)
        ]
    events += [
        story.event("view", f"steady-{day}-{v}", "shirt-0", days=day + 0.1)
        for day in range(28)
        for v in range(8)
    ]
    # Umbrellas and hats: hardly anybody, until today.
    events += [
        story.event("view", f"dry-{day}", "umbrella", days=day + 1.1) for day in range(0, 28, 7)
    ]
    events += [story.event("view", f"rain-{v}", "umbrella", hours=v / 2) for v in range(20)]
    events += [story.event("view", f"sun-{v}", f"hat-{v % 3}", hours=v / 2) for v in range(12)]
    # Two zones with different favourites.
    events += [
        story.event("purchase", f"uk{v}", "hat-3", days=20, context={"zone": "UK"})
        for v in range(5)
    ]
    events += [
        story.event("purchase", f"no{v}", "scarf", days=20, context={"zone": "NO"})
        for v in range(6)
    ]
    events += [
        story.event("purchase", f"no{v}", "hat-0", days=20, context={"zone": "NO"})
        for v in range(2)
    ]
    # Searches and what followed them.
    for v in range(3):
        events += [
            story.event("search", f"s{v}", query="Rain coat!", session=f"ss{v}", days=3),
            story.event("click", f"s{v}", "umbrella", session=f"ss{v}", days=2.999),
        ]
    events.append(story.event("purchase", "s0", "umbrella", session="ss0", days=2.998))
    events.append(story.event("click", "s1", "scarf", session="ss1", days=2.997))
    story.send(*events)
    story.build()


@pytest.fixture(scope="module")
def story(shop):
    fashion(shop)
    return shop


def test_best_sellers_of_the_shop_and_of_a_category_with_all_below_it(story):
    assert story.shown("popular", count=3) == ["shirt-0", "shirt-1", "shirt-2"]
    hats = story.shown("popular", category="Clothes > Hats")
    assert hats[:2] == ["hat-3", "hat-0"]
    assert all(one.startswith("hat") for one in hats)
    clothes = story.shown("popular", category="Clothes", count=20)
    assert {"shirt-0", "hat-3", "scarf"} <= set(clothes)
    assert "umbrella" not in clothes
    reason = story.reasons("popular", count=1)["shirt-0"]
    assert reason["counts"] == {"buyers": 14, "orders": 14, "window": "30d"}


def test_best_sellers_of_a_zone(story):
    uk, norway = story.items("popular", zone="UK"), story.items("popular", zone="NO")
    assert uk[0]["id"] == "hat-3"
    assert [item["id"] for item in norway[:2]] == ["scarf", "hat-0"]
    assert norway[0]["reasons"][0]["counts"]["audience"] == "zone:NO"
    assert "in NO" in norway[0]["reasons"][0]["text"]
    # Behind the zone's own come everyone's.
    assert norway[2]["id"] == "shirt-0"


def test_a_category_within_a_zone(story):
    assert story.shown("popular", zone="NO", category="Clothes > Hats", count=1) == ["hat-0"]


def test_trending_is_growth_against_the_products_own_baseline(story):
    shown = story.shown("trending")
    # Many more look at shirt-0, but as many as on any other day.
    assert shown[0] == "umbrella"
    assert "shirt-0" not in shown
    counts = story.reasons("trending")["umbrella"]["counts"]
    assert counts["recent"] == 20
    assert counts["baseline"] == 8  # four dry days, and four who came from a search or bought
    assert counts["recent_hours"] == 24
    assert counts["baseline_days"] == 26  # the whole days that the log goes back
    assert counts["growth"] > 5


def test_trending_brands_and_categories(story):
    def trending(of):
        answer = story.door.get("/v1/trending", of=of)
        assert answer.status == 200, answer
        return {one["name"]: one for one in answer.json()["data"]}

    # No hat had five visitors, but hats together had twelve.
    assert not any(name.startswith("hat") for name in trending("products"))
    assert trending("categories")["Clothes > Hats"]["recent"] == pytest.approx(12, abs=0.1)
    assert set(trending("brands")) == {"Kap"}
    assert "Clothes > Shirts" not in trending("categories")
    refused = story.door.get("/v1/trending", of="colours")
    assert refused.status == 422
    assert refused.json()["errors"][0]["pointer"] == "/query/of"


def test_trending_products_carry_the_flag_everywhere(story):
    assert "trending" in story.badges("search", search="rain coat")["umbrella"]
    assert "trending" not in story.badges("popular", count=1)["shirt-0"]


def test_searched_terms_in_their_normal_form(story):
    assert story.shown("search", search="rain  COAT") == ["umbrella", "scarf"]
    counts = story.reasons("search", search="rain coat")["umbrella"]["counts"]
    assert counts == {"clicks": 3, "carts": 0, "purchases": 1}
    assert story.shown("search", search="sandals") == []
    assert len(story.items("search", search="sandals")) == 8


def test_low_stock_says_the_true_number_and_until_when(story):
    story.change("shirt-5", stock=3)
    badge = story.badges("popular")["shirt-5"]["low_stock"]
    assert badge["left"] == 3
    assert badge["text"] == "Only 3 left"
    assert badge["until"] == "2026-03-02T13:00:00.000Z"
    story.change("shirt-5", stock=6)
    assert "low_stock" not in story.badges("popular")["shirt-5"]
    answer = story.door.call(
        "PUT", "/v1/badges", {"low_stock": 2, "low_stock_by_category": {"Clothes > Shirts": 8}}
    )
    assert answer.status == 200, answer
    assert story.badges("popular")["shirt-5"]["low_stock"]["left"] == 6
    story.change("shirt-5", stock=None)
    assert "low_stock" not in story.badges("popular")["shirt-5"]
    assert story.door.call("PUT", "/v1/badges", {}).json()["low_stock"] == 5


def test_back_in_stock_and_a_fallen_price(story):
    story.change("shirt-6", stock=0)
    assert "shirt-6" not in story.shown("popular")
    story.change("shirt-6", stock=20)
    assert "back_in_stock" in story.badges("popular")["shirt-6"]
    story.change("shirt-7", price="13.50")
    badge = story.badges("popular")["shirt-7"]["price_drop"]
    assert (badge["was"], badge["percent"]) == ("27.00", 50.0)
    # A price that is raised and put back has not fallen.
    story.change("shirt-8", price="40.00")
    story.change("shirt-8", price="28.00")
    assert "price_drop" not in story.badges("popular")["shirt-8"]


def test_the_top_sellers_of_a_category_are_flagged(story):
    badges = story.badges("popular", count=4)
    first = badges["shirt-0"]["bestseller"]
    assert (first["rank"], first["category"]) == (1, "Clothes > Shirts")
    assert first["text"] == "Top seller in Shirts"
    assert badges["shirt-2"]["bestseller"]["text"] == "No. 3 in Shirts"
    assert "bestseller" not in badges["shirt-3"]


def test_new_arrivals_survive_every_other_change(story):
    story.put("cape", categories=["Clothes > Winter"], price="80.00")
    story.change("shirt-9", price="28.50")
    items = story.items("new_arrivals")
    assert items[0]["id"] == "cape"
    assert items[0]["reasons"][0]["counts"] == {"days": 0}
    assert "new" in {badge["type"] for badge in items[0]["badges"]}
    assert "new" not in {badge["type"] for badge in items[1]["badges"]}
    story.placement("this-month", {"retriever": "new_arrivals", "days": 30})
    assert story.shown("this-month") == ["cape"]


def test_stock_price_and_eligibility_of_a_zone(story):
    story.change(
        "scarf",
        zones={
            "NO": {"price": "350.00", "stock": 2},
            "UK": {"stock": 0},
            "US": {"eligible": False},
        },
    )
    norway = {item["id"]: item for item in story.items("popular", zone="NO")}["scarf"]
    assert norway["product"]["price"] == "350.00"
    assert {b["type"]: b for b in norway["badges"]}["low_stock"]["left"] == 2
    plain = {item["id"]: item for item in story.items("popular", count=20)}["scarf"]
    assert plain["product"]["price"] == "30.00"
    for zone in ("UK", "US"):
        assert "scarf" not in story.shown("popular", zone=zone, count=20)
    story.change("scarf", zones=None)


def test_a_list_made_by_hand(story):
    answer = story.door.call(
        "PUT",
        "/v1/lists/spring",
        {"title": "Spring", "products": ["hat-2", "gone", "shirt-4", "hat-1"]},
    )
    assert answer.status == 200, answer
    story.placement("spring", {"retriever": "curated", "list": "spring"})
    assert story.shown("spring") == ["hat-2", "shirt-4", "hat-1"]
    reason = story.reasons("spring")["shirt-4"]
    assert reason["text"] == "Picked by the shop: Spring"
    assert reason["counts"] == {"list": "spring", "place": 2}
    story.change("hat-2", stock=0)
    assert story.shown("spring") == ["shirt-4", "hat-1"]
    story.change("hat-2", stock=40)
    assert story.door.call("DELETE", "/v1/lists/spring").status == 204
    assert story.shown("spring") == []
    versions = story.door.get("/v1/lists/spring/versions").json()["data"]
    assert [version["version"] for version in versions] == [2, 1]
    refused = story.door.call("PUT", "/v1/lists/spring", {"products": ["ok", ""]})
    assert refused.status == 422
    assert refused.json()["errors"][0]["pointer"] == "/products/1"


def test_every_strategy_is_described(story):
    found = {s["name"]: s for s in story.door.get("/v1/strategies").json()["data"]}
    assert found["trending"]["options"] == [{"name": "growth", "type": "float", "default": 1.5}]
    assert found["complements"]["reasons"] == ["accessory", "complement"]
    assert found["searched"]["needs"] == ["search term"]
