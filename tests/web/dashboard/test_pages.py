"""Every page of the dashboard: as HTML, as JSON, with its headers, and nothing from elsewhere."""

import re

import pytest

from door import open_door
from endcap.web.dashboard.routes import found

PAGES, ACTIONS = found()
PLAIN = [page for page in PAGES if "{" not in page.path]


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("dashboard")) as opened:
        opened.put_product("mug", title="Mug <b>", price="5.00", stock=2)
        opened.send({"event_id": "1", "type": "view", "visitor": "v", "product": "mug"})
        opened.get("/v1/recommendations/home", visitor="v")
        yield opened


def test_there_are_pages():
    assert PLAIN
    assert len({page.id for page in PAGES}) == len(PAGES)
    assert all(action.scope for action in ACTIONS)


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: page.id)
def test_a_page_is_html_and_json(door, page):
    answer = door.get(f"/dashboard{page.path}")
    assert answer.status == 200, answer
    html = answer.body.decode()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert "<b>" not in html.replace("<body>", "")
    # Scripts and styles come from here, and none stands in the page.
    assert not re.search(r"\sstyle=|\son\w+=|<script>|<style", html)
    assert set(re.findall(r'(?:src|href)="(https?:[^"]*)"', html)) == set()
    twin = door.get(f"/dashboard{page.path}.json")
    assert twin.status == 200, twin
    assert isinstance(twin.json(), dict)


@pytest.mark.parametrize("name", ["dashboard.css", "dashboard.js", "htmx.min.js", "mark.svg"])
def test_assets_are_served_from_here(door, name):
    assert door.get(f"/dashboard/assets/{name}").status == 200


@pytest.mark.parametrize("name", ["nothing.js", "../render.py", "base.html"])
def test_other_files_are_not(door, name):
    assert door.get(f"/dashboard/assets/{name}").status == 404
