"""A garden shop's offers: for whom, when, how often, and what is kept back to measure by."""

import pytest


@pytest.fixture(scope="module")
def story(shop):
    for n in range(10):
        shop.put(f"plant-{n}", categories=["Garden"], price="5.00", stock=99)
    shop.put("spade", categories=["Tools"], price="25.00", stock=9)
    shop.put("rake", categories=["Tools"], price="20.00", stock=9)
    shop.placement(
        "garden", {"retriever": "promoted"}, fallback=[{"retriever": "new_arrivals"}], slots=4
    )
    return shop


@pytest.fixture
def offer(story):
    """Puts offers in, and takes them out after the test."""
    names = []

    def put(name, expected=200, **fields):
        answer = story.door.call("PUT", f"/v1/offers/{name}", fields)
        assert answer.status == expected, answer
        if expected == 200:
            names.append(name)
        return answer.json()

    yield put
    for name in names:
        story.door.call("DELETE", f"/v1/offers/{name}")


def offers(story, **query):
    return [one["name"] for one in story.slate("garden", **query)["offers"]]


def served(story, visitor):
    """The slates a visitor was served, from the log."""
    installation = story.door.installation
    story.door.run(installation.served.flush())
    pseudonym = story.door.run(_pseudonym(installation, visitor))
    log = installation.store.events
    return [e.served for e in log.by_visitor("default", pseudonym, 100, ("served",))]


async def _pseudonym(installation, visitor):
    return installation.recommender._pseudonyms.visitor("default", visitor)


def test_products_on_offer_lead_and_the_answer_carries_the_offer(story, offer):
    offer(
        "tools",
        title="Tools for spring",
        products=["rake", "gone", "spade"],
        discount={"percent": 10},
    )
    slate = story.slate("garden", visitor="anna")
    assert [item["id"] for item in slate["items"]][:2] == ["rake", "spade"]
    reason = slate["items"][0]["reasons"][0]
    assert (reason["code"], reason["text"]) == ("promoted", "Tools for spring")
    assert reason["counts"] == {"offer": "tools", "discount": "10 %"}
    assert slate["offers"] == [
        {
            "name": "tools",
            "version": 1,
            "title": "Tools for spring",
            "discount": "10 %",
            "products": ["rake", "spade"],
        }
    ]
    assert served(story, "anna")[-1].offers == ("tools",)


def test_an_offer_without_products_is_carried_as_it_is(story, offer):
    offer("free-delivery", text="Delivery is on us", discount={"amount": "4.90", "currency": "GBP"})
    (carried,) = story.slate("garden")["offers"]
    assert (carried["text"], carried["discount"]) == ("Delivery is on us", "4.90 GBP")


def test_zones_placements_and_what_is_sold_out(story, offer):
    offer("islands", products=["spade"], zones=["IM", "JE"])
    offer("elsewhere", products=["rake"], placements=["home"])
    assert offers(story) == []
    assert offers(story, zone="JE") == ["islands"]
    story.change("spade", stock=0)
    assert offers(story, zone="JE") == []
    story.change("spade", stock=9)


def test_a_season_comes_back_every_year(story, offer):
    offer("spring", products=["spade"], schedule={"months": [3, 4], "time_zone": "Europe/London"})
    assert offers(story) == ["spring"]
    story.later(days=70)
    assert offers(story) == []
    story.later(days=300)
    assert offers(story) == ["spring"]
    story.later(days=-370)


def test_a_budget_is_spent_and_stays_spent(story, offer):
    offer("first-three", products=["spade"], budget=3)
    assert [len(offers(story, visitor=f"v{n}")) for n in range(5)] == [1, 1, 1, 0, 0]
    # Also after a build, which counts the log anew.
    story.door.run(story.door.installation.served.flush())
    story.build()
    assert offers(story, visitor="late") == []


def test_a_cap_per_visitor_runs_out_and_renews(story, offer):
    offer("twice", products=["spade"], per_visitor=2, per_days=7)
    assert [len(offers(story, visitor="cap")) for _ in range(3)] == [1, 1, 0]
    assert offers(story, visitor="another") == ["twice"]
    # Whose count cannot be kept gets none.
    assert offers(story) == []
    story.later(days=8)
    assert offers(story, visitor="cap") == ["twice"]
    story.later(days=-8)


def test_a_cap_counts_what_was_offered_before_a_restart(story, offer):
    offer("once", products=["rake"], per_visitor=1)
    assert offers(story, visitor="again") == ["once"]
    story.door.run(story.door.installation.served.flush())
    merchant = story.door.installation.live.state("default").merchant
    merchant.ledger = type(merchant.ledger)()
    assert offers(story, visitor="again") == []


def test_a_part_of_the_visitors_is_the_control_and_is_logged(story, offer):
    offer("tested", products=["spade"], holdout=0.5)
    got = {n: offers(story, visitor=f"half-{n}") for n in range(40)}
    control = {n for n, names in got.items() if not names}
    assert 8 <= len(control) <= 32
    assert {n for n in got if not offers(story, visitor=f"half-{n}")} == control
    one, other = min(control), min(set(got) - control)
    assert served(story, f"half-{one}")[-1].withheld == ("tested",)
    assert served(story, f"half-{one}")[-1].offers == ()
    assert served(story, f"half-{other}")[-1].offers == ("tested",)
    assert served(story, f"half-{other}")[-1].withheld == ()


def test_priority_decides_which_goes_first(story, offer):
    offer("later", products=["plant-1"], priority=1)
    offer("sooner", products=["plant-2"], priority=2)
    assert story.shown("garden") == ["plant-2", "plant-1"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"holdout": 1}, "/holdout"),
        ({"budget": 0}, "/budget"),
        ({"discount": {"percent": 120}}, "/discount/percent"),
        ({"discount": {"percent": 5, "amount": "1"}}, "/discount"),
        ({"discount": {"amount": "5"}}, "/discount/amount"),
        ({"schedule": {"months": [13]}}, "/schedule/months"),
        ({"products": [""]}, "/products/0"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_an_offer_that_cannot_work_is_refused(story, offer, fields, pointer):
    errors = offer("bad", 422, **fields)["errors"]
    assert errors[0]["pointer"] == pointer
    assert story.door.get("/v1/offers/bad").status == 404


def test_a_slate_with_offers_is_made_again_as_it_was(story, offer):
    offer("two-times", products=["rake", "spade"], discount={"percent": 5}, budget=2)
    first, last = (story.slate("garden", visitor=f"again-{n}") for n in range(2))
    assert [one["name"] for one in last["offers"]] == ["two-times"]
    assert offers(story, visitor="too-late") == []
    # The budget is spent by now, and still the slate is made again with the offer's products.
    for slate in (first, last):
        again = story.door.get(f"/v1/recommendations/{slate['token']}/replay").json()
        assert again["differences"] == []
        assert [one["id"] for one in again["items"]] == [one["id"] for one in slate["items"]]
        assert again["items"][0]["reasons"][0]["counts"]["offer"] == "two-times"
    offer("two-times", products=["rake"], budget=2)
    again = story.door.get(f"/v1/recommendations/{first['token']}/replay").json()
    assert again["differences"] == ["offer two-times has changed since"]


def test_a_look_at_another_time_spends_nothing(story, offer):
    offer("just-one", products=["spade"], budget=1)
    for _ in range(3):
        assert offers(story, as_of="2026-03-05T12:00:00Z") == ["just-one"]
    assert offers(story) == ["just-one"]
    assert offers(story) == []
