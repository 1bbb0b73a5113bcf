"""One visitor over time: what they looked at, who they turn out to be, what they seem to like."""

import pytest

BRANDS = ("Aro", "Bel", "Cid")


def books(story):
    for n in range(30):
        story.put(
            f"book-{n}",
            brand=BRANDS[n % 3],
            categories=[f"Books > {('Crime', 'Poetry')[n % 2]}"],
            price=f"{8 + (n % 5) * 10}.00",
            attributes={"language": ("en", "de")[n % 4 // 2]},
            stock=9,
        )
    story.send(*(story.event("purchase", f"p{n}", f"book-{n % 30}", days=3) for n in range(60)))
    story.build()


@pytest.fixture(scope="module")
def story(shop):
    books(shop)
    return shop


def view(story, visitor, *products):
    for product in products:
        story.later(hours=0.01)
        story.does("view", visitor, product)


def merge(story, browser, customer):
    answer = story.door.post("/v1/visitors:merge", {"from": browser, "to": customer})
    assert answer.status == 200, answer


def test_recently_viewed_is_checked_against_the_live_catalogue(story):
    view(story, "anna", "book-1", "book-2", "book-3", "book-1")
    assert story.shown("recently_viewed", visitor="anna") == ["book-1", "book-3", "book-2"]
    # The product of the page is left out, and so is what cannot be sold any more.
    assert story.shown("recently_viewed", visitor="anna", seed="book-1") == ["book-3", "book-2"]
    story.change("book-3", stock=0)
    assert story.shown("recently_viewed", visitor="anna") == ["book-1", "book-2"]
    story.change("book-3", stock=9)


def test_recently_viewed_survives_the_login(story):
    view(story, "customer", "book-4")
    view(story, "browser", "book-5", "book-6")
    assert story.shown("recently_viewed", visitor="customer") == ["book-4"]
    merge(story, "browser", "customer")
    assert story.shown("recently_viewed", visitor="customer") == ["book-6", "book-5", "book-4"]
    # The browser learns nothing of the customer.
    assert story.shown("recently_viewed", visitor="browser") == ["book-6", "book-5"]


def test_on_a_shared_computer_nobody_inherits_what_another_did(story):
    view(story, "library", "book-7")
    merge(story, "library", "first")
    view(story, "library", "book-8")
    merge(story, "library", "second")
    assert story.shown("recently_viewed", visitor="first") == ["book-7"]
    assert story.shown("recently_viewed", visitor="second") == ["book-8"]


def test_merging_again_is_harmless_and_takes_in_what_is_new(story):
    view(story, "phone", "book-9")
    merge(story, "phone", "owner")
    merge(story, "phone", "owner")
    view(story, "phone", "book-10")
    assert story.shown("recently_viewed", visitor="owner") == ["book-9"]
    merge(story, "phone", "owner")
    assert story.shown("recently_viewed", visitor="owner") == ["book-10", "book-9"]


def test_a_merge_that_makes_no_sense_is_refused(story):
    answer = story.door.post("/v1/visitors:merge", {"from": "same", "to": "same"})
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/to")
    answer = story.door.post("/v1/visitors:merge", {"from": "a"})
    assert answer.status == 422


def profile(story, visitor):
    answer = story.door.get(f"/v1/visitors/{visitor}/profile")
    assert answer.status == 200, answer
    return {facet["facet"]: facet for facet in answer.json()["facets"]}


def test_a_profile_can_be_read(story):
    view(story, "reader", "book-0", "book-6", "book-12")  # all Aro, crime
    story.does("purchase", "reader", "book-18", days=0)
    found = profile(story, "reader")
    assert found["brand:Aro"]["weight"] == 1.0
    assert found["brand:Aro"]["events"] == 4
    assert found["category:Books > Crime"]["weight"] == 1.0
    assert found["category:Books"]["weight"] == 0.5
    assert any(facet.startswith("price:") for facet in found)
    assert any(facet.startswith("language:") for facet in found)
    assert profile(story, "stranger") == {}


def test_for_you_follows_the_profile_and_says_so(story):
    view(story, "fan", "book-1", "book-7")  # Bel, poetry
    items = story.items("for_you", visitor="fan", count=3)
    for item in items:
        number = int(item["id"].removeprefix("book-"))
        assert (number % 3, number % 2) == (1, 1)
        assert item["id"] not in ("book-1", "book-7")
    reason = items[0]["reasons"][0]
    assert reason["code"] == "for_you"
    assert "brand:Bel" in reason["counts"]
    assert reason["text"].startswith("Because you like")


def test_a_shopper_corrects_and_mutes_the_profile(story):
    view(story, "picky", "book-1", "book-7")
    answer = story.door.call(
        "PATCH",
        "/v1/visitors/picky/profile",
        {"muted": ["brand:Bel", "category:Books > Poetry"], "weights": {"brand:Cid": 1.0}},
    )
    assert answer.status == 200, answer
    found = profile(story, "picky")
    assert "brand:Bel" not in found
    assert found["brand:Cid"] == {
        "facet": "brand:Cid",
        "weight": 1.0,
        "events": 0,
        "corrected": True,
    }
    first = story.shown("for_you", visitor="picky", count=1)[0]
    assert int(first.removeprefix("book-")) % 3 == 2
    answer = story.door.call(
        "PATCH", "/v1/visitors/picky/profile", {"muted": [], "weights": {"brand:Cid": None}}
    )
    assert "brand:Bel" in profile(story, "picky")
    assert "brand:Cid" not in profile(story, "picky")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"weights": {"brand:Aro": 2}}, "/weights/brand:Aro"),
        ({"muted": ["nothing"]}, "/muted"),
        ({"mute": []}, "/mute"),
        ({"weights": {"brand:Aro": "much"}}, "/weights"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(story, change, pointer):
    answer = story.door.call("PATCH", "/v1/visitors/picky/profile", change)
    assert answer.status == 422, answer
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


def test_what_was_dismissed_counts_against(story):
    for product in ("book-0", "book-6"):
        story.does("dismiss", "tired", product)
    assert profile(story, "tired")["brand:Aro"]["weight"] == -1.0
    assert story.shown("for_you", visitor="tired") == []


def test_a_profile_fades(story):
    view(story, "forgetful", "book-0")
    story.later(days=28)
    view(story, "forgetful", "book-1")
    found = profile(story, "forgetful")
    faded = found["brand:Aro"]["weight"] / found["brand:Bel"]["weight"]
    assert faded == pytest.approx(0.25, abs=0.01)  # two half-lives of 14 days
