"""Other systems' events through HTTP, and files of them on the command line."""

import base64
import csv
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from door import open_door
from endcap.cli.commands import app

SAMPLES = Path(__file__).parents[1] / "ingest" / "samples"
SECRET = "shpss_0123456789abcdef"
JSON = [("content-type", "application/json")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("foreign"), shopify_secret=SECRET) as door:
        yield door


def sample(name):
    return (SAMPLES / name).read_bytes()


def stored(door, source):
    log = door.installation.store.events
    return [e for e in log.after("default", 0, 1_000) if e.source == source]


def test_ga4_is_taken_and_sent_again_counts_once(shop):
    target = "/v1/events/ga4?measurement_id=G-1&api_secret=x"
    answer = shop.post(target, sample("ga4_measurement.json"), JSON)
    assert answer.status == 202
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (8, 0)
    again = shop.post("/v1/events/ga4", sample("ga4_measurement.json"), JSON).json()
    assert (again["accepted"], again["duplicates"]) == (0, 8)
    (purchase,) = [e for e in stored(shop, "ga4") if e.type == "purchase"]
    assert (purchase.order, purchase.reported, purchase.currency) == ("T_12345", 7_205, "USD")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/events/segment"])
def test_segment_batches(shop, path):
    answer = shop.post(path, sample("segment_batch.json"), JSON)
    assert answer.status == 200
    assert answer.json()["accepted"] + answer.json()["duplicates"] == 4
    assert {e.event_id for e in stored(shop, "segment")} == {f"ajs-{n}" for n in range(1, 5)}


def test_a_single_track_call(shop):
    message = json.loads(sample("segment_batch.json"))["batch"][1] | {"messageId": "single"}
    assert shop.post("/v1/events/segment", message).json()["accepted"] == 1


def test_google_retail(shop):
    lines = sample("retail.ndjson").splitlines()
    answers = [shop.post("/v1/events/retail", line, JSON) for line in lines]
    assert [a.status for a in answers] == [202] * 5
    assert sum(a.json()["accepted"] for a in answers) == 4


def shopify(door, body, topic="orders/create", secret=SECRET):
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    headers = [
        ("x-shopify-topic", topic),
        ("x-shopify-hmac-sha256", signature.decode()),
        *JSON,
    ]
    return door.post("/v1/webhooks/shopify", body, headers)


def test_shopify_orders_and_refunds(shop):
    order = sample("shopify_order.json")
    assert shopify(shop, order).json()["accepted"] == 1
    assert shopify(shop, order, "orders/paid").json()["duplicates"] == 1
    refund = {
        "id": 509562969,
        "order_id": 820982911946154508,
        "created_at": "2025-11-21T10:00:00Z",
        "refund_line_items": [{"quantity": 1, "line_item": {"sku": "IPOD2008PINK"}}],
    }
    taken = shopify(shop, json.dumps(refund).encode(), "refunds/create").json()
    assert taken["accepted"] == 1
    assert shopify(shop, order, "products/update").json()["results"] == []
    purchase, back = stored(shop, "shopify")
    assert (purchase.reported, len(purchase.lines)) == (38_800, 2)
    assert (back.type, back.order) == ("refund", purchase.order)


def test_a_webhook_signed_by_another_is_refused(shop):
    answer = shopify(shop, sample("shopify_order.json"), secret="another")
    assert (answer.status, answer.json()["code"]) == (401, "unauthenticated")
    assert shop.post("/v1/webhooks/shopify", b"{}", JSON).status == 401


def test_what_cannot_be_read_is_kept_with_its_reason(shop):
    body = {"client_id": "c", "events": [{"name": "view_item", "params": {"items": "none"}}]}
    receipt = shop.post("/v1/events/ga4", body).json()
    assert (receipt["accepted"], receipt["rejected"]) == (0, 1)
    assert receipt["results"][0]["errors"][0]["pointer"] == "/items"
    letters = shop.installation.store.events.dead_letters("default", 0, 100)
    assert "/items" in letters[-1].reason
    assert shop.post("/v1/events/ga4", b"{", JSON).status == 400


def test_the_write_key_may_be_the_user_of_basic_authentication(tmp_path):
    key = "k-0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"
    with open_door(tmp_path, api_key=key) as door:
        body = sample("segment_batch.json")
        assert door.post("/v1/batch", body, JSON).status == 401
        wrong = base64.b64encode(b"nobody:").decode()
        refused = door.post("/v1/batch", body, [*JSON, ("authorization", f"Basic {wrong}")])
        assert refused.status == 401
        given = base64.b64encode(f"{key}:".encode()).decode()
        answer = door.post("/v1/batch", body, [*JSON, ("authorization", f"Basic {given}")])
        assert answer.json()["accepted"] == 4


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_files_are_imported_without_a_mapping(tmp_path):
    data = tmp_path / "data"
    for name in ("merchant.xml", "merchant_atom.xml", "merchant.tsv", "shopify_old.csv",
                 "schema.jsonld"):  # fmt: skip
        result = run("import", "catalog", SAMPLES / name, "--data", data, "--json")
        report = json.loads(result.stdout)
        assert report["written"] >= 1, (name, result.output)
        assert report["rejected"] == (1 if name == "merchant.xml" else 0), report
    rejects = tmp_path / "rejects.csv"
    result = run("import", "catalog", SAMPLES / "merchant.xml", "--data", data, "--dry-run",
                 "--rejects", rejects)  # fmt: skip
    assert result.exit_code == 3
    with rejects.open() as stream:
        (row,) = csv.DictReader(stream)
    assert (row["line"], row["field"], row["code"]) == ("36", "/availability", "wrong_type")


def test_a_dry_run_says_how_many_products_are_known(tmp_path):
    data, products = tmp_path / "data", tmp_path / "p.csv"
    products.write_text("id,title\nGGOEGXXX0906,Badge\n")
    assert run("import", "catalog", products, "--data", data).exit_code == 0
    arguments = ("import", "events", SAMPLES / "ga4_bigquery.ndjson", "--data", data)
    dry = run(*arguments, "--format", "ga4-bigquery", "--dry-run", "--json")
    report = json.loads(dry.stdout)
    assert (report["written"], report["rejected"]) == (2, 1)
    assert (report["products_named"], report["products_known"]) == (2, 2)
    taken = json.loads(run(*arguments, "--json").stdout)
    assert (taken["written"], taken["duplicates"]) == (2, 0)
    assert json.loads(run(*arguments, "--json").stdout)["duplicates"] == 2
    other = run("import", "events", SAMPLES / "retail.ndjson", "--data", data, "--dry-run")
    assert "0.0% of the products named are in the catalogue" in other.stdout
    assert "123 (3 times), 456 (1 times)" in other.stdout
