"""Ids that the catalogue does not know, mapped to products: from then on events count for them."""

from urllib.parse import urlencode

import pytest

from door import open_door


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("aliases")) as door:
        door.put_product("new", title="Lamp", price="10.00", stock=9)
        yield door


def view(shop, product, number):
    event = {"event_id": f"e{number}", "type": "view", "visitor": "v", "product": product}
    assert shop.send(event)["accepted"] == 1


def newest(shop):
    return shop.get("/dashboard/live.json").json()["events"][0]["products"]


def test_an_unknown_id_is_mapped_from_the_page_and_counts(shop):
    view(shop, "old", 1)
    page = shop.get("/dashboard/live").body.decode()
    assert '<option value="old">' in page and newest(shop) == ["old"]
    wrong = shop.post(
        "/dashboard/live/alias", urlencode({"unknown": "old", "product": "x"}).encode()
    )
    assert wrong.status == 422 and "the catalogue has no" in wrong.body.decode()
    form = urlencode({"unknown": "old", "product": "new"}).encode()
    assert shop.post("/dashboard/live/alias", form).status == 303
    view(shop, "old", 2)
    assert newest(shop) == ["new"]
    matching = shop.get("/dashboard/live.json").json()["matching"]
    assert (matching["known"], matching["unknown"]) == (1, [["old", 1]])
    # What we serve ourselves is known, and does not hide what is unknown.
    shop.get("/v1/recommendations/popular", visitor="w")
    shop.run(shop.installation.served.flush())
    again = shop.get("/dashboard/live.json").json()
    assert (again["matching"]["lines"], again["share"]) == (2, 0.5)
    recent = shop.get("/v1/recommendations/recently_viewed", visitor="v").json()["items"]
    assert [item["id"] for item in recent] == ["new"]
    # Sent again it is the event it was, and the change is in the audit log.
    event = {"event_id": "e2", "type": "view", "visitor": "v", "product": "old"}
    assert shop.send(event)["duplicates"] == 1
    (kept,) = shop.get("/v1/aliases").json()["data"]
    assert (kept["name"], kept["value"]) == ("old", {"product": "new"})
    operations = [one["operation"] for one in shop.get("/v1/audit").json()["data"]]
    assert "dashboard_alias" in operations


def test_an_alias_can_be_taken_back_and_outlives_a_restart(tmp_path):
    with open_door(tmp_path) as door:
        door.put_product("new", price="1.00")
        put = door.call("PUT", "/v1/aliases/old", {"product": "new"})
        assert put.status == 200, put
        wrong = door.call("PUT", "/v1/aliases/old", {"product": ""})
        assert wrong.json()["errors"][0]["pointer"] == "/product"
    with open_door(tmp_path) as door:
        view(door, "old", 1)
        assert newest(door) == ["new"]
        assert door.call("DELETE", "/v1/aliases/old").status == 204
        view(door, "old", 2)
        assert newest(door) == ["old"]
