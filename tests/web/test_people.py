"""Signing in: first link, passwords, sessions, and forms of other sites."""

import re
from urllib.parse import urlencode

import pytest

from door import open_door
from endcap.secured import login_url

FORM = ("content-type", "application/x-www-form-urlencoded")
PASSWORD = "seven grey herons wade"


class Clock:
    def __init__(self):
        self.now = 1_782_000_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(tmp_path, clock):
    with open_door(tmp_path, clock=clock, auth="required") as opened:
        yield opened


def link_of(door, clock, account="admin"):
    security = door.installation.security
    return login_url("", security.secret, "default", account, clock()).partition("link=")[2]


def send(door, path, headers=(), **fields):
    return door.call("POST", path, urlencode(fields).encode(), [FORM, *headers])


def cookie_of(answer):
    assert answer.status == 303, answer
    text = answer.headers["set-cookie"]
    assert "HttpOnly" in text
    assert "SameSite=lax" in text
    assert "Path=/" in text
    return ("cookie", text.partition(";")[0])


def account_page(door, cookie):
    return door.call("GET", "/account", headers=[cookie])


def csrf_of(door, cookie):
    return re.search(rb'name="csrf" value="([0-9a-f]+)"', account_page(door, cookie).body)[
        1
    ].decode()


def test_the_first_link_makes_the_administrator_once(door, clock):
    link = link_of(door, clock)
    # Opening the page uses nothing up, so a preview of the address does no harm.
    assert door.get("/login", link=link).status == 200
    cookie = cookie_of(send(door, "/login", link=link))
    assert b"admin" in account_page(door, cookie).body
    assert door.call("GET", "/v1/keys", headers=[cookie]).status == 200
    assert send(door, "/login", link=link).status == 401
    # With an account there, a link for a name that nobody has makes none.
    assert send(door, "/login", link=link_of(door, clock, "eve")).status == 401
    late = link_of(door, clock)
    clock.now += 15 * 60_000
    assert send(door, "/login", link=late).status == 401


def signed_in(door, clock):
    return cookie_of(send(door, "/login", link=link_of(door, clock)))


def test_password_then_sign_in_and_out(door, clock):
    cookie = signed_in(door, clock)
    weak = send(door, "/account", [cookie], csrf=csrf_of(door, cookie), fresh="password1234")
    assert weak.status == 422
    changed = send(door, "/account", [cookie], csrf=csrf_of(door, cookie), fresh=PASSWORD)
    after = cookie_of(changed)
    assert account_page(door, cookie).status == 303, "the session before has ended"
    assert send(door, "/login", name="admin", password="wrong").status == 401
    again = cookie_of(send(door, "/login", name="admin", password=PASSWORD))
    assert len({cookie, after, again}) == 3
    assert send(door, "/logout", [again], csrf=csrf_of(door, again)).status == 303
    assert account_page(door, again).status == 303
    assert account_page(door, after).status == 200
    assert send(door, "/logout", [after], csrf=csrf_of(door, after), all="1").status == 303
    assert account_page(door, after).status == 303


def test_nobody_can_tell_which_names_there_are(door, clock):
    cookie = signed_in(door, clock)
    send(door, "/account", [cookie], csrf=csrf_of(door, cookie), fresh=PASSWORD)
    known = send(door, "/login", name="admin", password="not the password")
    unknown = send(door, "/login", name="nobody", password="not the password")
    assert (known.status, known.body) == (unknown.status, unknown.body)


def test_guessing_is_slowed_down_by_address_and_name(door):
    answers = [send(door, "/login", name="admin", password=f"guess {n}") for n in range(14)]
    statuses = [a.status for a in answers]
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) == {429}
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_session_ends_when_idle_and_at_the_latest_after_half_a_day(door, clock):
    cookie = signed_in(door, clock)
    for _ in range(25):
        clock.now += 28 * 60_000
        alive = account_page(door, cookie).status == 200
    assert alive
    clock.now += 31 * 60_000
    assert account_page(door, cookie).status == 303
    other = signed_in(door, clock)
    clock.now += 31 * 60_000
    assert account_page(door, other).status == 303


def test_disabling_and_changing_roles_count_at_once(door, clock):
    admin = signed_in(door, clock)
    csrf = [admin, ("x-csrf-token", csrf_of(door, admin))]
    body = {"roles": ["admin"], "password": PASSWORD}
    assert door.call("PUT", "/v1/accounts/ana", body, csrf).status == 200
    ana = cookie_of(send(door, "/login", name="ana", password=PASSWORD))
    assert door.call("GET", "/v1/keys", headers=[ana]).status == 200
    assert door.call("PUT", "/v1/accounts/ana", {"roles": ["viewer"]}, csrf).status == 200
    assert door.call("GET", "/v1/keys", headers=[ana]).status == 401
    ana = cookie_of(send(door, "/login", name="ana", password=PASSWORD))
    assert door.call("GET", "/v1/keys", headers=[ana]).status == 403
    door.call("PUT", "/v1/accounts/ana", {"disabled": True}, csrf)
    assert send(door, "/login", name="ana", password=PASSWORD).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ],
)
def test_a_change_by_cookie_needs_our_own_page_and_its_token(door, clock, headers):
    cookie = signed_in(door, clock)
    token = csrf_of(door, cookie)
    body = {"scopes": ["catalogue:read"]}
    made = door.call("POST", "/v1/keys", body, [cookie, *headers])
    assert made.status == 403
    with_token = door.call("POST", "/v1/keys", body, [cookie, ("x-csrf-token", token), *headers])
    assert with_token.status == (201 if not headers else 403)
    # An HTML form cannot reach the API with the cookie either.
    form = door.call("POST", "/v1/keys", b"a=b", [cookie, FORM])
    assert form.status == 403
    assert send(door, "/logout", [cookie, *headers], csrf="0" * 64).status == 403


def test_where_sign_in_leads_stays_on_this_server(door, clock):
    for bad in ("https://evil.example", "//evil.example", "/\\evil.example", "x", "/a\r\nb: c"):
        with_link = send(door, "/login", link=link_of(door, clock), next=bad)
        assert with_link.headers["location"] == "/dashboard"
    good = send(door, "/login", link=link_of(door, clock), next="/account")
    assert good.headers["location"] == "/account"


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path, clock):
    url = "https://reco.example.com"
    with open_door(tmp_path, clock=clock, auth="required", public_url=url) as door:
        answer = send(door, "/login", link=link_of(door, clock))
        text = answer.headers["set-cookie"]
        assert text.startswith("__Host-endcap=")
        assert "Secure" in text
        assert "Domain" not in text
        assert account_page(door, cookie_of(answer)).status == 200


def test_no_secret_is_in_the_store_in_the_clear(door, clock, tmp_path):
    cookie = signed_in(door, clock)
    csrf = [cookie, ("x-csrf-token", csrf_of(door, cookie))]
    key = door.call("POST", "/v1/keys", {"scopes": ["catalogue:read"]}, csrf).json()["key"]
    made = door.call("POST", "/v1/clients", {"scopes": ["catalogue:read"]}, csrf).json()
    door.call("PUT", "/v1/accounts/ana", {"roles": [], "password": PASSWORD}, csrf)
    private = door.installation.security.keyring.current().private["d"]
    session = cookie[1].partition("=")[2]
    files = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert len(files) >= 2
    for secret in (key, made["client_secret"], PASSWORD, private, session):
        for file in files:
            assert secret.encode() not in file.read_bytes(), file


def test_without_sign_in_only_names_of_this_machine_are_answered(tmp_path):
    with open_door(tmp_path) as door:
        for host in ("127.0.0.1:8400", "localhost", "[::1]:8400", "shop.localhost"):
            assert door.call("GET", "/v1/products", headers=[("host", host)]).status == 200
        for host in ("evil.example", "evil.example:8400", "10.0.0.7:8400"):
            assert door.call("GET", "/v1/products", headers=[("host", host)]).status == 403
        event = {"events": [{"type": "view", "visitor": "v", "product": "p", "event_id": "1"}]}
        for site, status in (("cross-site", 403), ("same-origin", 202), ("none", 202)):
            headers = [("sec-fetch-site", site)]
            assert door.post("/v1/events", event, headers).status == status
        local = [("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")]
        assert door.post("/v1/events", event, local).status == 202
        assert door.call("POST", "/v1/builds", headers=local).status == 403
