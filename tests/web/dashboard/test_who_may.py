"""The dashboard's doors: nobody without signing in, nothing beyond one's role, no foreign forms."""

import re
from urllib.parse import urlencode

import pytest

from door import open_door
from endcap.core.access import ROLES
from endcap.secured import login_url
from endcap.web.dashboard.routes import found

PAGES, ACTIONS = found()
FORM = ("content-type", "application/x-www-form-urlencoded")
PASSWORD = "seven grey herons wade"
ROLE = "merchandiser"


def post(door, path, cookie=(), **fields):
    return door.call("POST", path, urlencode(fields).encode(), [FORM, *cookie])


def cookie_of(answer):
    assert answer.status == 303, answer
    return [("cookie", answer.headers["set-cookie"].partition(";")[0])]


def csrf_of(door, cookie):
    html = door.call("GET", "/dashboard/home", headers=cookie).body.decode()
    return re.search(r'name="csrf" value="([0-9a-f]+)"', html)[1]


def address(path):
    return "/dashboard" + re.sub(r"\{[^}]*\}", "popular", path)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("who"), auth="required") as opened:
        yield opened


@pytest.fixture(scope="module")
def admin(door):
    security = door.installation.security
    link = login_url("", security.secret, "default", "admin", security.clock())
    return cookie_of(post(door, "/login", link=link.partition("link=")[2]))


@pytest.fixture(scope="module")
def merchandiser(door, admin):
    fields = {"name": "mia", "role": ROLE, "password": PASSWORD, "csrf": csrf_of(door, admin)}
    assert post(door, "/dashboard/settings/account", admin, **fields).status == 303
    return cookie_of(post(door, "/login", name="mia", password=PASSWORD))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_nobody_sees_a_page_without_signing_in(door, page):
    for path in (address(page.path), address(page.path) + ".json"):
        answer = door.get(path)
        assert answer.status == 303
        assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_a_page_is_shown_to_its_scope_only(door, merchandiser, page):
    answer = door.call("GET", address(page.path), headers=merchandiser)
    assert (answer.status == 403) == (page.scope not in ROLES[ROLE]), answer


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_an_action_is_for_its_scope_only_and_for_forms_of_this_session(door, merchandiser, action):
    path = address(action.path)
    assert post(door, path).status == 401
    assert post(door, path, merchandiser).status == 403  # without the token
    answer = post(door, path, merchandiser, csrf=csrf_of(door, merchandiser))
    assert (answer.status == 403) == (action.scope not in ROLES[ROLE]), answer


def test_the_menu_shows_what_may_be_opened(door, admin, merchandiser):
    html = door.call("GET", "/dashboard/home", headers=merchandiser).body.decode()
    assert "/dashboard/rules" in html
    assert "/dashboard/settings" not in html
    assert "/dashboard/visitors" not in html
    assert "/dashboard/settings" in door.call("GET", "/dashboard/home", headers=admin).body.decode()
