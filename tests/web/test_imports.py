"""Imports over HTTP: every format, refused rows with line and field, hostile files."""

import gzip
import json

import pytest

GOOD = [{"id": f"p-{n}", "title": f"Number {n}", "price": "1.50"} for n in range(3)]
NDJSON = [("content-type", "application/x-ndjson")]
CSV = [("content-type", "text/csv")]


def imported(door, body, headers=NDJSON, query=""):
    answer = door.post(f"/v1/products:import{query}", body, headers)
    assert answer.status == 200, answer
    return answer.json()


def lines(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (lines(GOOD), NDJSON),
        (gzip.compress(lines(GOOD)), NDJSON),
        (gzip.compress(lines(GOOD)), [*NDJSON, ("content-encoding", "gzip")]),
        (json.dumps(GOOD).encode(), [("content-type", "application/json")]),
        (b"id,title,price\np-0,Number 0,1.50\np-1,Number 1,1.50\np-2,Number 2,1.50\n", CSV),
        (
            b"\xef\xbb\xbfid\ttitle\tprice\np-0\tNumber 0\t1.50\np-1\tNumber 1\t1.50\n"
            b"p-2\tNumber 2\t1.50",
            [("content-type", "text/tab-separated-values; charset=utf-8")],
        ),
    ],
)
def test_each_format_gives_the_same_products(fresh, body, headers):
    report = imported(fresh, body, headers)
    assert (report["read"], report["written"], report["rejected"]) == (3, 3, 0)
    found = [view["product"] for view in fresh.get("/v1/products").json()["data"]]
    assert found == [{**row, "currency": "GBP"} for row in GOOD]


def test_refused_rows_are_named_and_the_others_are_stored(fresh):
    rows = [GOOD[0], {"id": "x", "price": "9,90"}, {"title": "no id"}, GOOD[1]]
    body = lines(rows) + b"\n{broken\n\n" + lines([GOOD[2]])
    report = imported(fresh, body)
    assert (report["read"], report["written"], report["rejected"]) == (6, 3, 3)
    assert [(e["line"], e["errors"][0]["pointer"]) for e in report["errors"]] == [
        (2, "/price"),
        (3, "/id"),
        (5, ""),
    ]


def test_csv_columns_become_lists_numbers_attributes_and_links(fresh):
    body = (
        b"id,categories,tags,stock,rating,attributes.colour,attributes.sizes,links.accessories\n"
        b'"a, b",Home > Kitchen|Gifts,new|sale,4,4.5,red,S|M,x|y\n'
        b"bad-1,,,many,,,,\n"
        b"bad-2,,,1_000,,,,\n"
        b"bad-3,,,,nan,,,\n"
        b"bad-4,,,\n"
    )
    report = imported(fresh, body, CSV)
    assert (report["written"], report["rejected"]) == (1, 4)
    assert [e["errors"][0]["pointer"] for e in report["errors"]] == [
        "/stock",
        "/stock",
        "/rating",
        "",
    ]
    assert fresh.get("/v1/products/a%2C%20b").json()["product"] == {
        "id": "a, b",
        "categories": ["Home > Kitchen", "Gifts"],
        "tags": ["new", "sale"],
        "stock": 4,
        "rating": 4.5,
        "attributes": {"colour": "red", "sizes": ["S", "M"]},
        "links": {"accessories": ["x", "y"]},
    }


def test_a_dry_run_reports_and_stores_nothing(fresh):
    report = imported(fresh, lines([GOOD[0], {"id": ""}]), query="?dry_run=true")
    assert (report["read"], report["written"], report["rejected"]) == (2, 1, 1)
    assert fresh.get("/v1/products").json()["data"] == []


def test_imported_products_are_in_the_next_answer(fresh):
    imported(fresh, lines([{"id": "now", "title": "Now", "stock": 1}]))
    assert fresh.shown("home") == ["now"]


def test_a_file_that_breaks_half_way_keeps_what_came_before_and_says_so(fresh):
    body = b"id,title\n" + b"".join(b"p-%d,t\n" % n for n in range(1_500)) + b"\xff\xfe,x\nz,t\n"
    report = imported(fresh, body, CSV)
    assert (report["read"], report["written"], report["rejected"]) == (1_501, 1_500, 1)
    assert "not UTF-8" in report["errors"][0]["errors"][0]["message"]
    assert "rest of the file was not read" in report["errors"][0]["errors"][0]["message"]
    assert len(fresh.get("/v1/products", limit=1000).json()["data"]) == 1_000


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xfei\x00d\x00", CSV, 400),
        (b"id,id\n1,2\n", CSV, 422),
        (b'id\n"open', CSV, 400),
        (b"[1", [("content-type", "application/json")], 400),
        (b"3", [("content-type", "application/json")], 422),
        (b"x" * 1_000_001, NDJSON, 400),
        (gzip.compress(b"x")[:-9], NDJSON, 400),
        (b"id\n", [("content-type", "application/xml")], 400),
        (b"id\n", [("content-type", "application/pdf")], 415),
        (b"id\n", [*CSV, ("content-encoding", "br")], 415),
        (b"\x1f\x8b\x08garbage", NDJSON, 400),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(fresh, body, headers, status):
    answer = fresh.post("/v1/products:import", body, headers)
    assert answer.status == status, answer
    assert answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json", "text/csv"])
@pytest.mark.parametrize("encoded", [True, False])
def test_a_gzip_bomb_ends_at_the_limit(tmp_path, kind, encoded):
    from door import open_door

    bomb = gzip.compress(b"\n" * 50_000_000)
    headers = [("content-type", kind)] + [("content-encoding", "gzip")] * encoded
    with open_door(tmp_path, max_import_body=1_000_000) as door:
        answer = door.post("/v1/products:import", bomb, headers)
        assert answer.status == 413, answer
        assert door.get("/v1/products").json()["data"] == []


def test_the_format_may_be_named_instead_of_the_content_type(fresh):
    assert imported(fresh, lines(GOOD), [], "?format=ndjson")["written"] == 3
