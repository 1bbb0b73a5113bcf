"""Rules through HTTP: draft, check, preview, publish, roll back; and every effect on a slate."""

import pytest

from door import open_door

DAY = 24 * 3_600_000
MONDAY = 1_790_582_400_000  # 2026-09-28, a Monday, 08:00 UTC
GOODS = {
    "mug": ("Aga", "9.90", ["sale"]),
    "cup": ("Aga", "4.00", []),
    "plate": ("Bee", "20.00", []),
    "bowl": ("Bee", "12.00", ["sale"]),
    "lamp": ("Lux", "45.00", []),
    "rug": ("Lux", "80.00", []),
}
ORDER = ["mug", "cup", "plate", "bowl", "lamp", "rug"]


class Clock:
    def __init__(self):
        self.now = MONDAY

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    clock = Clock()
    with open_door(tmp_path_factory.mktemp("rules"), clock=clock) as door:
        door.clock = clock
        for name, (brand, price, tags) in GOODS.items():
            door.put_product(
                name, title=name.title(), brand=brand, price=price, stock=9, tags=tags,
                zones={"US": {"price": "3.00"}} if name == "rug" else {},
            )  # fmt: skip
        door.send(
            *(
                {"type": "purchase", "visitor": f"b{place}-{n}", "product": name,
                 "order": f"o{place}-{n}", "event_id": f"e{place}-{n}", "price": "1.00"}
                for place, name in enumerate(ORDER)
                for n in range(12 - 2 * place)
            )
        )  # fmt: skip
        door.build()
        yield door


@pytest.fixture
def door(stocked):
    stocked.clock.now = MONDAY
    yield stocked
    stocked.clock.now = MONDAY
    for rule in stocked.get("/v1/rules").json()["data"]:
        stocked.call("DELETE", f"/v1/rules/{rule['name']}")


def draft(door, name, effect, note="", **rule):
    answer = door.call("PUT", f"/v1/rules/{name}?note={note}", {"effect": effect, **rule})
    assert answer.status == 200, answer
    return answer.json()


def publish(door, name, effect=None, **rule):
    if effect is not None:
        draft(door, name, effect, **rule)
    answer = door.post(f"/v1/rules/{name}/publish")
    assert answer.status == 200, answer
    return answer.json()


def shown(door, count=4, **query):
    return door.shown("popular", count=count, **query)


ONLY = {"type": "filter", "mode": "only"}
NEVER = {"type": "filter", "mode": "never"}


def test_a_draft_changes_nothing_until_it_is_published(door):
    assert shown(door) == ORDER[:4]
    view = draft(door, "no-aga", NEVER, where="product.brand == 'Aga'")
    assert (view["state"], view["version"]) == ("draft", 1)
    assert view["english"] == "never show products for which the brand is “Aga”"
    assert shown(door) == ORDER[:4]
    assert publish(door, "no-aga")["state"] == "published"
    assert shown(door) == ["plate", "bowl", "lamp", "rug"]
    draft(door, "no-aga", NEVER, where="product.brand == 'Bee'")
    assert shown(door) == ["plate", "bowl", "lamp", "rug"]
    publish(door, "no-aga")
    assert shown(door) == ["mug", "cup", "lamp", "rug"]


def test_versions_say_who_why_and_what_and_can_be_rolled_back(door):
    draft(door, "r", NEVER, note="first", where="product.price < 5.0")
    publish(door, "r")
    draft(door, "r", NEVER, note="dearer", where="product.price < 10.0", priority=3)
    publish(door, "r")
    found = door.get("/v1/rules/r/versions").json()
    assert [v["note"] for v in found["data"]] == ["dearer", "first"]
    assert found["data"][0]["author"]
    assert found["data"][0]["changes"] == [
        {"field": "priority", "before": None, "after": 3},
        {"field": "where", "before": "product.price < 5.0", "after": "product.price < 10.0"},
    ]
    assert shown(door) == ["plate", "bowl", "lamp", "rug"]
    back = door.post("/v1/rules/r/rollback?note=oops").json()
    assert (back["version"], back["state"]) == (1, "published")
    assert shown(door) == ["mug", "plate", "bowl", "lamp"]
    publications = door.get("/v1/rules/r/versions").json()["publications"]
    assert [(p["version"], p["note"]) for p in publications] == [(1, "oops"), (2, ""), (1, "")]
    door.post("/v1/rules/r/unpublish")
    assert shown(door) == ORDER[:4]
    assert door.get("/v1/rules/r").json()["published"] is None


@pytest.mark.parametrize(
    ("effect", "rule", "slate"),
    [
        (ONLY, {"where": "product.brand in ['Bee', 'Lux']"}, ["plate", "bowl", "lamp", "rug"]),
        (NEVER, {"where": "'sale' in product.tags"}, ["cup", "plate", "lamp", "rug"]),
        (
            {"type": "boost", "factor": 9},
            {"where": "product.price > 40.0"},
            ["lamp", "rug", "mug", "cup"],
        ),
        (
            {"type": "bury", "factor": 0.1},
            {"where": "product.brand == 'Aga'"},
            ["plate", "bowl", "lamp", "rug"],
        ),
        ({"type": "pin", "slot": 2, "products": ["rug"]}, {}, ["mug", "rug", "cup", "plate"]),
        ({"type": "pin", "slot": 1}, {"where": "product.brand == 'Lux'"}, ["lamp", *ORDER[:3]]),
        ({"type": "quota", "share": 0.5}, {"where": "product.brand == 'Lux'"},
         ["mug", "cup", "lamp", "rug"]),
    ],
)  # fmt: skip
def test_each_effect(door, effect, rule, slate):
    publish(door, "r", effect, **rule)
    assert shown(door) == slate
    publish(door, "r", effect, **rule, placements=["home"])
    assert shown(door) == ORDER[:4]


def test_a_badge(door):
    publish(door, "b", {"type": "badge", "badge": "deal", "text": "Deal"},
            where="'sale' in product.tags")  # fmt: skip
    items = door.get("/v1/recommendations/popular", count=4).json()["items"]
    badged = {i["id"] for i in items if "deal" in [b["type"] for b in i["badges"]]}
    assert badged == {"mug", "bowl"}


def test_a_rule_is_switched_by_visitor_seed_zone_and_time(door):
    publish(door, "seed", NEVER, where="product.price > 1.5 * seed.price")
    assert door.shown("product", seed="bowl", count=9) == ["mug", "cup"]
    assert door.shown("product", seed="lamp", count=9) == ["mug", "cup", "plate", "bowl"]
    assert shown(door) == ORDER[:4], "without a seed the condition says nothing"
    door.call("DELETE", "/v1/rules/seed")
    publish(door, "zone", NEVER, where="product.brand == 'Aga'", zones=["DE"])
    assert shown(door) == ORDER[:4]
    assert shown(door, zone="DE") == ["plate", "bowl", "lamp", "rug"]
    door.call("DELETE", "/v1/rules/zone")
    publish(door, "price", ONLY, where="product.price < 10.0")
    assert shown(door) == ["mug", "cup"]
    assert shown(door, zone="US") == ["mug", "cup", "rug"]
    door.call("DELETE", "/v1/rules/price")
    door.send({"type": "purchase", "visitor": "rich", "order": "x", "product": "rug",
               "price": "900.00"})  # fmt: skip
    publish(door, "rich", NEVER, where="product.price < 10.0",
            when="visitor.segment('big_spender')")  # fmt: skip
    assert not {"mug", "cup"} & {*door.shown("home", visitor="rich", count=6)}
    assert {"mug", "cup"} <= {*door.shown("home", visitor="poor", count=6)}


def test_a_schedule_is_read_in_its_time_zone(door):
    schedule = {"weekdays": [1], "hours": ["09:00-17:00"], "time_zone": "Europe/Berlin"}
    publish(door, "office", NEVER, where="product.brand == 'Aga'", schedule=schedule)
    assert shown(door, count=1) == ["plate"]  # 10:00 in Berlin
    door.clock.now = MONDAY - 2 * 3_600_000
    assert shown(door, count=1) == ["mug"]  # 08:00 in Berlin
    door.clock.now = MONDAY + DAY
    assert shown(door, count=1) == ["mug"]  # Tuesday


def test_an_answer_names_the_rules_and_replays_under_those_of_its_time(door):
    publish(door, "up", {"type": "boost", "factor": 9}, where="product.brand == 'Lux'")
    answer = door.get("/v1/recommendations/popular", count=4).json()
    assert answer["items"][0]["id"] == "lamp"
    reasons = [r for r in answer["items"][0]["reasons"] if r["code"] == "boosted"]
    assert reasons[0]["counts"] == {"rule": "up", "version": 1, "factor": 9.0}
    door.clock.now += 1_000
    publish(door, "up", NEVER, where="product.brand == 'Lux'")
    assert "lamp" not in shown(door)
    again = door.get(f"/v1/recommendations/{answer['token']}/replay").json()
    assert again["exact"], again
    later = door.get("/v1/recommendations/popular", count=4).json()
    why = door.get(f"/v1/recommendations/{later['token']}/why-not/lamp").json()
    assert why["by"] == "rule up v2"
    assert why["why"] == "never show products for which the brand is “Lux”"


@pytest.mark.parametrize(
    ("rule", "pointer", "words"),
    [
        ({"effect": NEVER}, "/where", "which products"),
        ({"effect": NEVER, "where": "product.pric < 3"}, "/where", "did you mean `price`?"),
        ({"effect": NEVER, "where": "true", "when": "product.price > 3"}, "/when", "the products"),
        ({"effect": {"type": "boost", "factor": 0.5}}, "/effect/factor", "> 1"),
        ({"effect": {"type": "bury", "factor": 0}}, "/effect/factor", "`filter`"),
        ({"effect": {"type": "pin", "slot": 1}}, "/effect/products", "`where`"),
        ({"effect": {"type": "quota", "share": 2}, "where": "true"}, "/effect/share", "<= 1"),
        ({"effect": {"type": "explode"}}, "/effect", ""),
        (
            {"effect": NEVER, "where": "true", "schedule": {"months": [13]}},
            "/schedule/months",
            "1 to 12",
        ),
        (
            {"effect": NEVER, "where": "true", "schedule": {"time_zone": "Mars/Base"}},
            "/schedule/time_zone",
            "no time zone",
        ),
        (
            {"effect": NEVER, "where": "true", "schedule": {"hours": ["9-5"]}},
            "/schedule/hours/0",
            "09:00-18:00",
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_the_field(door, rule, pointer, words):
    answer = door.call("PUT", "/v1/rules/x", rule)
    assert answer.status == 422, answer
    errors = {e["pointer"]: e["message"] for e in answer.json()["errors"]}
    assert any(at.startswith(pointer) and words in said for at, said in errors.items()), errors
    assert door.get("/v1/rules/x").status == 404


def findings(door, name):
    report = door.post(f"/v1/rules/{name}/check").json()
    return report, {(f["level"], f["code"]) for f in report["findings"]}


def test_the_check_finds_contradictions_and_publishing_refuses_them(door):
    publish(door, "only-aga", ONLY, where="product.brand == 'Aga'")
    draft(door, "never-aga", NEVER, where="product.brand == 'Aga'")
    report, found = findings(door, "never-aga")
    assert ("error", "contradiction") in found
    assert not report["publishable"]
    refused = door.post("/v1/rules/never-aga/publish")
    assert refused.status == 422
    assert refused.json()["errors"][0]["code"] == "contradiction"
    draft(door, "only-bee", ONLY, where="product.brand == 'Bee'")
    assert ("error", "contradiction") in findings(door, "only-bee")[1]
    draft(door, "never-cheap", NEVER, where="product.price < 5.0")
    report, found = findings(door, "never-cheap")
    assert found == {("warning", "overlap")}
    assert report["products"] == 1
    forced = {"type": "pin", "slot": 1, "products": ["rug"], "forced": True}
    publish(door, "pin-one", forced)
    draft(door, "pin-two", {**forced, "products": ["lamp"]})
    assert ("error", "contradiction") in findings(door, "pin-two")[1]
    draft(door, "pin-three", {"type": "pin", "slot": 1, "products": ["mug"]})
    assert findings(door, "pin-three")[1] == {("warning", "same_slot")}


def test_the_check_finds_what_is_dead_shadowed_or_misspelt(door):
    publish(door, "no-bee", NEVER, where="product.brand == 'Bee'")
    draft(door, "plate-up", {"type": "boost", "factor": 2}, where="product.id == 'plate'")
    assert findings(door, "plate-up")[1] == {("warning", "shadowed")}
    draft(door, "dead", {"type": "boost", "factor": 2}, where="product.brand == 'Zzz'")
    assert findings(door, "dead")[1] == {("warning", "matches_nothing")}
    draft(door, "over", NEVER, where="true", schedule={"until": "2020-01-01"})
    assert ("error", "schedule_over") in findings(door, "over")[1]
    draft(door, "nowhere", {"type": "boost", "factor": 2}, placements=["hom"])
    report, found = findings(door, "nowhere")
    assert found == {("error", "unknown_placement")}
    assert "did you mean `home`?" in report["findings"][0]["message"]
    draft(door, "who", {"type": "boost", "factor": 2}, when="visitor.segment('loyl')")
    report, found = findings(door, "who")
    assert found == {("error", "unknown_segment")}
    assert "did you mean `loyal`?" in report["findings"][0]["message"]
    draft(door, "gift", {"type": "offer", "offer": "sprng"})
    assert findings(door, "gift")[1] == {("error", "unknown_offer")}
    draft(door, "what", {"type": "boost", "factor": 2}, where="product.attributes.colr == 'x'")
    assert ("warning", "unknown_attribute") in findings(door, "what")[1]


def test_the_check_tries_recent_requests(door):
    for _ in range(3):
        shown(door)
    door.run(door.installation.served.flush())
    draft(door, "nothing", ONLY, where="product.price > 1000.0")
    report, found = findings(door, "nothing")
    assert ("error", "empty_slates") in found
    assert report["requests"] >= 3
    assert report["empty"] == report["requests"]
    draft(door, "two", ONLY, where="product.brand == 'Lux'")
    report, _ = findings(door, "two")
    assert report["publishable"]
    assert 0 < report["shorter"] <= report["changed"] <= report["requests"]
    assert door.post("/v1/rules/nothing/publish").status == 422
    assert door.post("/v1/rules/nothing/publish?force=true").status == 200
    assert shown(door) == []


def test_a_preview_shows_before_and_after_with_the_moves(door):
    draft(door, "up", {"type": "boost", "factor": 9}, where="product.id == 'lamp'",
          when="visitor.segment('loyal')", schedule={"months": [12]})  # fmt: skip
    asked = {
        "placement": "popular",
        "count": 3,
        "made_up": {"orders": 5, "days_since_order": 3},
        "as_of": "2026-12-24T12:00:00Z",
    }
    found = door.post("/v1/rules/up/preview", {**asked, "placement": "home"}).json()
    assert found["segments"] == ["loyal"]
    assert [i["id"] for i in found["before"]] == ["mug", "cup", "plate"]
    assert [i["id"] for i in found["after"]] == ["lamp", "mug", "cup"]
    assert found["after"][0]["rules"] == ["rule up v0"]
    assert found["moves"] == [
        {"id": "lamp", "before": None, "after": 1},
        {"id": "mug", "before": 1, "after": 2},
        {"id": "cup", "before": 2, "after": 3},
        {"id": "plate", "before": 3, "after": None},
    ]
    in_june = {**asked, "placement": "home", "as_of": "2026-06-24T12:00:00Z"}
    assert door.post("/v1/rules/up/preview", in_june).json()["moves"] == []
    stranger = {**asked, "placement": "home", "made_up": None}
    assert door.post("/v1/rules/up/preview", stranger).json()["moves"] == []
    assert shown(door) == ORDER[:4]


def test_a_placement_preview_takes_a_draft_of_the_placement(door):
    placement = door.get("/v1/placements/popular").json()["placement"]
    drafted = {**placement, "strategies": [{"retriever": "new_arrivals"}]}
    found = door.post("/v1/placements/popular/preview", {"count": 2, "draft": drafted}).json()
    assert [i["id"] for i in found["before"]] == ["mug", "cup"]
    assert [i["id"] for i in found["after"]] == ["rug", "lamp"]
    wrong = {"draft": {**placement, "strategies": [{"retriever": "nope"}]}}
    assert door.post("/v1/placements/popular/preview", wrong).status == 422
    assert door.post("/v1/placements/nowhere/preview", {}).status == 404
    bad = door.post("/v1/placements/popular/preview", {"as_of": "soon"})
    assert bad.json()["errors"][0]["pointer"] == "/as_of"


def test_published_rules_are_there_after_a_start(tmp_path):
    with open_door(tmp_path) as door:
        for name in ("a", "b"):
            door.put_product(name, title=name, stock=1)
        publish(door, "no-a", NEVER, where="product.id == 'a'")
        draft(door, "no-a", NEVER, where="product.id == 'b'")
    with open_door(tmp_path) as door:
        assert shown(door) == ["b"]
        assert door.get("/v1/rules/no-a").json()["state"] == "changed"


def test_an_offer_rule_puts_an_offer_on_matching_products(door):
    offer = {"title": "Lux week", "discount": {"percent": 5}}
    assert door.call("PUT", "/v1/offers/lux-week", offer).status == 200
    try:
        publish(door, "lux", {"type": "offer", "offer": "lux-week"}, where="product.brand == 'Lux'")
        slate = door.get("/v1/recommendations/popular", count=6).json()
        (carried,) = [one for one in slate["offers"] if one["name"] == "lux-week"]
        lux = [item["id"] for item in slate["items"] if GOODS[item["id"]][0] == "Lux"]
        assert lux
        assert carried["products"] == lux
        assert carried["discount"] == "5 %"
        draft(door, "lux", {"type": "offer", "offer": "lux-week"}, where="product.brand == 'None'")
        publish(door, "lux")
        again = door.get("/v1/recommendations/popular", count=6).json()
        assert "lux-week" not in [one["name"] for one in again.get("offers", [])]
    finally:
        door.call("DELETE", "/v1/offers/lux-week")
