"""Products over HTTP: one by one, with versions, and in pages."""

import unicodedata
from urllib.parse import quote

import pytest

FULL = {
    "title": "White hanging heart",
    "description": "Two\nlines",
    "url": "https://shop.example/p/1",
    "image": "/img/1.jpg",
    "brand": "Own",
    "categories": ["Home > Lighting", "Gifts"],
    "price": "2.95",
    "list_price": "3.95",
    "cost": "1.05",
    "currency": "GBP",
    "rating": 4.5,
    "rating_count": 12,
    "stock": 7,
    "availability": "preorder",
    "group": "hearts",
    "attributes": {"colour": "white", "height": 12.5, "sizes": ["S", "M"], "new": True},
    "tags": ["sale"],
    "zones": {"GB": {"price": "2.50", "stock": 3}, "DE": {"eligible": False}},
    "available_from": "2026-01-01T00:00:00Z",
    "available_until": "2036-01-01T00:00:00+01:00",
    "links": {"accessories": ["a"], "upgrades": ["b"], "bundle": [{"id": "c", "quantity": 2}]},
}


def path(id):
    return f"/v1/products/{quote(id, safe='')}"


def test_every_field_comes_back_as_it_went_in(fresh):
    fresh.put_product("full", **FULL)
    view = fresh.get(path("full")).json()
    assert view["product"] == {"id": "full", **FULL}
    assert view["version"] == 1
    assert view["updated_at"] > 1_700_000_000_000


def test_put_replaces_and_patch_merges(fresh):
    fresh.put_product("p", title="One", stock=3, attributes={"a": 1, "b": 2})
    patched = fresh.call("PATCH", path("p"), {"stock": 2, "attributes": {"a": None, "c": 3}})
    assert patched.json()["product"] == {
        "id": "p",
        "title": "One",
        "stock": 2,
        "attributes": {"b": 2, "c": 3},
    }
    assert patched.json()["version"] == 2
    fresh.put_product("p", title="Two")
    assert fresh.get(path("p")).json()["product"] == {"id": "p", "title": "Two"}
    assert fresh.call("PATCH", path("nothing"), {"stock": 1}).status == 404


def test_a_deleted_product_is_gone_and_may_come_back(fresh):
    fresh.put_product("p", title="One")
    assert fresh.call("DELETE", path("p")).status == 204
    assert fresh.get(path("p")).status == 404
    assert fresh.call("DELETE", path("p")).status == 404
    assert fresh.get("/v1/products").json()["data"] == []
    again = fresh.put_product("p", title="Two")
    assert again.json()["version"] == 3


def test_if_match_refuses_what_was_changed_meanwhile(fresh):
    tag = fresh.put_product("p", title="One").headers["etag"]
    assert tag == '"1"'
    assert fresh.get(path("p")).headers["etag"] == '"1"'
    fresh.put_product("p", title="Two", headers=[("if-match", tag)])
    for method, body in (("PUT", {"title": "x"}), ("PATCH", {"title": "x"}), ("DELETE", None)):
        stale = fresh.call(method, path("p"), body, [("if-match", tag)])
        assert stale.status == 409, method
        assert stale.json()["code"] == "version_conflict"
    bad = fresh.call("PUT", path("p"), {"title": "x"}, [("if-match", "yesterday")])
    assert bad.status == 422
    assert bad.json()["errors"][0]["pointer"] == "/header/If-Match"
    assert fresh.get(path("p")).json()["product"]["title"] == "Two"


ODD = [
    "a/b",
    "a b",
    "a?b#c",
    "100%",
    "%2F",
    "ünï",
    unicodedata.normalize("NFD", "ünï"),
    "日本",
    "a+b",
    "..",
    "a\\b",
    "🙂",
    "a",
    "A",
    "a ",
    " a",
    '"quoted"',
    "x" * 200,
    "e:import",
]


def test_odd_ids_are_different_things_and_pages_show_each_once(fresh):
    for number, odd in enumerate(ODD):
        fresh.put_product(odd, title=f"Number {number}")
    for number, odd in enumerate(ODD):
        assert fresh.get(path(odd)).json()["product"] == {"id": odd, "title": f"Number {number}"}
    for limit in (1, 3, 100):
        found, cursor = [], {}
        while True:
            page = fresh.get("/v1/products", limit=limit, **cursor).json()
            found += [view["product"]["id"] for view in page["data"]]
            if not page["has_more"]:
                assert page["next_cursor"] is None
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == sorted(ODD, key=str.encode)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "/limit"),
        ({"limit": "1001"}, "/limit"),
        ({"limit": "-1"}, "/query/limit"),
        ({"limit": "ten"}, "/query/limit"),
        ({"limit": "9" * 30}, "/query/limit"),
        ({"cursor": "%%%"}, "/cursor"),
        ({"cursor": "_w"}, "/cursor"),
        ({"limt": "3"}, "/query/limt"),
    ],
)
def test_a_page_that_cannot_be_made_names_the_parameter(fresh, query, pointer):
    answer = fresh.get("/v1/products", **query)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_misspelt_parameter_is_refused_everywhere_with_the_near_one(fresh):
    answer = fresh.get("/v1/recommendations/home", vistor="v")
    assert "did you mean `visitor`" in answer.json()["errors"][0]["message"]
    assert fresh.call("PUT", path("p") + "?dry_run=1", {"title": "x"}).status == 422
    assert fresh.get(path("p")).status == 404


def test_a_percent_encoded_prefix_means_the_same_product(fresh):
    fresh.put_product("p", title="One")
    assert fresh.get("/v1/%70roducts/%70").json()["product"]["id"] == "p"


def test_the_id_in_the_body_must_be_that_of_the_address(fresh):
    answer = fresh.call("PUT", path("p"), {"id": "q", "title": "x"})
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/id"
    assert fresh.call("PATCH", path("p"), {"id": "q"}).status == 404
    fresh.put_product("p", title="One")
    assert fresh.call("PATCH", path("p"), {"id": "q"}).json()["errors"][0]["pointer"] == "/id"


def test_a_merge_patch_content_type_is_taken(fresh):
    fresh.put_product("p", title="One", stock=1)
    kind = [("content-type", "application/merge-patch+json")]
    assert fresh.call("PATCH", path("p"), b'{"stock":9}', kind).json()["product"]["stock"] == 9
