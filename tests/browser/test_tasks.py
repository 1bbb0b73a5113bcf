"""What a merchandiser does, by clicking: pin, preview, schedule, publish, roll back, find out."""

import httpx
import pytest


@pytest.fixture
def shown(site):
    def ask(placement, **query):
        answer = httpx.get(f"{site}/v1/recommendations/{placement}", params=query)
        return [item["id"] for item in answer.json()["items"]]

    return ask


def test_pin_preview_schedule_publish_and_roll_back(visit, shown):
    page = visit.open("/dashboard/rules")
    page.get_by_label("New rule: what is it for?").fill("Mug seven first")
    page.get_by_role("button", name="Write it").click()
    page.get_by_label("Effect").select_option("pin")
    page.get_by_label("First slot").fill("1")
    page.get_by_label("Products", exact=True).fill("mug-7")
    page.get_by_label("Placements (empty: everywhere)").fill("popular")
    page.get_by_role("button", name="Keep as draft").click()
    after = page.locator("section[aria-labelledby=after] li").first
    assert "mug-7" in after.inner_text()
    assert "Nothing contradicts it" in page.locator("#check").inner_text()
    assert shown("popular")[0] != "mug-7"
    visit.picture("rule-preview")
    visit.check_access()
    page.get_by_label("Note", exact=True).fill("for the window")
    page.get_by_role("button", name="Publish version 1").click()
    assert "Version 1 is live" in page.get_by_role("status").inner_text()
    assert shown("popular")[0] == "mug-7"
    # Only in the next decade: another version, seen in the calendar's list of rules.
    page.get_by_label("Until (UTC)").fill("2036-01-01T00:00")
    page.get_by_role("button", name="Keep as draft").click()
    page.get_by_role("button", name="Publish version 2").click()
    calendar = visit.open("/dashboard/calendar")
    assert "mug-seven-first" in calendar.locator("main").inner_html()
    visit.picture("calendar")
    visit.check_access()
    page = visit.open("/dashboard/rules/mug-seven-first")
    page.get_by_role("button", name="Roll back to what was live before").click()
    assert "Version 1 is live again" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Take it out").click()
    assert shown("popular")[0] != "mug-7"


def test_a_placement_is_edited_compared_published_and_rolled_back(visit, shown):
    page = visit.open("/dashboard/placements/trending")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Slots").fill("3")
    page.get_by_role("button", name="Keep as draft").first.click()
    assert page.locator("section[aria-labelledby=after] li").count() == 3
    assert "+" in page.locator(".diff ins").first.inner_text()
    visit.picture("placement-draft")
    visit.check_access()
    page.get_by_label("Note").fill("three are enough")
    page.get_by_role("button", name="Publish").click()
    assert len(shown("trending")) == 3
    page.get_by_role("button", name="Roll back to 1").click()
    assert visit.dialogs
    assert len(shown("trending")) > 3


def test_an_experiment_is_started_and_read(visit, site):
    visit.open("/dashboard/placements/similar/edit")
    page = visit.page
    page.get_by_label("Slots").fill("2")
    page.get_by_role("button", name="Keep as draft").first.click()
    page = visit.open("/dashboard/experiments")
    page.get_by_label("New experiment: what is the question?").fill("Two are enough")
    page.get_by_role("button", name="Plan it").click()
    page.get_by_label("Value of the metric now").fill("0.05")
    page.get_by_label("Visitors a day").fill("4000")
    page.get_by_role("button", name="How long?").click()
    assert "visitors per variant" in page.locator("main").inner_text()
    page.locator("select[name=placement]").select_option("similar")
    page.get_by_role("button", name="Keep as draft").click()
    page.get_by_role("button", name="Start").click()
    for n in range(30):
        httpx.get(f"{site}/v1/recommendations/similar?seed=mug-1&visitor=reader-{n}")
    page = visit.open("/dashboard/experiments/two-are-enough")
    assert "Too early" in page.locator("main").inner_text()
    assert page.locator("svg.chart").count() == 1
    visit.picture("experiment")
    visit.check_access()
    page.get_by_role("button", name="Stop").click()
    assert "stopped" in page.get_by_role("status").inner_text()


def test_why_a_product_is_missing(visit):
    page = visit.open("/dashboard/products?search=mug 9")
    page.get_by_role("link", name="mug-9").click()
    assert "cannot be sold now" in page.locator("main").inner_text()
    page = visit.open("/dashboard/placements/popular")
    page.get_by_label("Why not this product?").fill("mug-9")
    page.get_by_role("button", name="Preview").click()
    told = page.locator(".notice", has_text="mug-9").inner_text()
    assert "left out by available" in told
    visit.picture("why-not")
    visit.check_access()


def test_the_shop_follows_the_clicks_and_tells_why(visit):
    page = visit.open("/demo-shop")
    page.get_by_role("button", name="Show reasons").click()
    for name in ("mug-2", "mug-4"):
        page = visit.open(f"/demo-shop/products/{name}")
    page.get_by_role("button", name="Put in the cart").click()
    assert "It is in your cart" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Order", exact=True).click()
    assert "Thank you" in page.locator("h1").inner_text()
    page = visit.open("/demo-shop")
    assert page.locator("[data-placement=home] .reasons li").count() > 0
    page.wait_for_timeout(900)  # the script waits a moment before it tells what was seen
    live = visit.open("/dashboard/live.json").inner_text("body")
    assert '"impression"' in live
    assert '"purchase"' in live
    visit.open("/demo-shop")
    visit.picture("demo-shop")


def test_live_events_swap_and_pause(visit, site):
    page = visit.open("/dashboard/live")
    event = {"type": "view", "visitor": "swap", "product": "mug-11", "event_id": "swap"}
    httpx.post(f"{site}/v1/events", json=event)
    first = page.locator("#live tbody tr").first
    first.get_by_text("mug-11").wait_for(timeout=15_000)
    page.get_by_role("link", name="Pause").click()
    assert page.locator("#live[hx-get]").count() == 0


def test_expressions_are_said_in_words_while_typing(visit):
    page = visit.open("/dashboard/rules/typing?effect=boost")
    page.get_by_label("Which products").fill("product.price < 3.0")
    page.locator("#in-words .good").wait_for(timeout=15_000)
    page.get_by_label("Which products").fill("product.prize < 3.0")
    page.locator("#in-words .bad").wait_for(timeout=15_000)
    assert "did you mean `price`" in page.locator("#in-words").inner_text()
