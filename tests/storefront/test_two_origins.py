"""A shop on one origin, Endcap on another: the script with a publishable key, in Chromium."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import sync_playwright

from browsing import CHROMIUM, FLAGS, needs_chromium
from server import serving

needs_chromium()
KEY = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"
ADMIN = {"authorization": f"Bearer {KEY}"}
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"
PAGE = """<!doctype html><html><head><meta charset="utf-8"><script defer src="{host}/endcap.js"
 data-key="{key}" data-consent="granted"></script></head><body><div style="height:1500px">top</div>
<endcap-slot data-placement="popular" data-timeout="9000" style="display:block;min-height:120px">
<template><p><a data-bind="href:url"><b data-bind="title"></b></a></p></template></endcap-slot>
<div style="height:1500px">bottom</div></body></html>"""


@contextmanager
def shop_front(page):
    """A server of the shop's own, with one page; its origin."""

    class Front(BaseHTTPRequestHandler):
        def do_GET(self):
            content = (page[0] if self.path == "/" else "a product").encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Endcap's client, the shop's origin, and an origin that the key is not for."""
    page = [""]
    with (
        serving(tmp_path_factory.mktemp("shop"), env={"ENDCAP_API_KEY": KEY}) as (_, url),
        httpx.Client(base_url=url, headers=ADMIN, timeout=60) as client,
        shop_front(page) as front,
        shop_front(page) as stranger,
    ):
        for n in range(3):
            fields = {"title": f"Thing {n}", "url": f"{front}/p{n}", "price": "2.00", "stock": 5}
            assert client.put(f"/v1/products/p{n}", json=fields).status_code == 200
        made = client.post("/v1/keys", json={"kind": "publishable", "origins": [front]})
        assert made.status_code == 201, made.text
        page[0] = PAGE.format(host=url, key=made.json()["key"])
        yield client, front, stranger


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def until(ready):
    deadline = time.monotonic() + 40
    while not (found := ready()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_from_its_own_origin_everything_reaches_the_log_once(browser, shop):
    client, front, _ = shop
    context = browser.new_context(user_agent=AGENT)
    page = context.new_page()
    sent = []
    page.on(
        "request",
        lambda request: sent.append(request.post_data) if "/events/ga4" in request.url else None,
    )
    page.goto(front)
    page.wait_for_selector("endcap-slot a", state="attached")
    for _ in range(3):  # seen, out of sight, and seen again: an impression is told once
        page.locator("endcap-slot").scroll_into_view_if_needed()
        page.wait_for_timeout(400)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)
    page.locator("endcap-slot a").first.click()
    page.wait_for_url(f"{front}/p*")
    total = until(lambda: _counted(client, page))
    context.close()
    assert (total["slates"], total["served"], total["seen"], total["clicked"]) == (1, 3, 3, 1)
    events = [event for body in sent for event in json.loads(body)["events"]]
    told = [
        item["item_id"]
        for event in events
        if event["name"] == "view_item_list"
        for item in event["params"]["items"]
    ]
    assert sorted(told) == ["p0", "p1", "p2"]
    assert [event["name"] for event in events].count("select_item") == 1
    newest = client.get("/dashboard/live.json").json()
    assert newest["refused"] == []


def _counted(client, page):
    page.wait_for_timeout(300)
    total = client.get("/v1/reports/performance").json()["total"]
    return total if total["clicked"] and total["seen"] == 3 else None


def test_another_origin_gets_nothing(browser, shop):
    client, _, stranger = shop
    before = client.get("/v1/reports/performance").json()["total"]["slates"]
    context = browser.new_context(user_agent=AGENT)
    page = context.new_page()
    with page.expect_request("**/v1/recommendations/**"):
        page.goto(stranger)
    page.wait_for_timeout(2_000)
    assert page.locator("endcap-slot a").count() == 0
    context.close()
    assert client.get("/v1/reports/performance").json()["total"]["slates"] == before
