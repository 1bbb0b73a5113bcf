"""Several shops in one installation see nothing of each other; the audit log tells all."""

import re

import msgspec
import pytest

from door import open_door
from endcap.core.access import SCOPES, Caller
from endcap.core.access_requests import KeyRequest
from endcap.core.accounts import Account, Client, Role
from endcap.services.administration import Administration
from endcap.services.audit import KIND
from endcap.web.app import all_operations

CANARY = "canary-of-toys"
KINDS = ("placement", "rule", "account", "client", "key", "role", "consent", "erasure")


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shops")
    shops = "toys=toys.example.com"
    with open_door(folder, auth="required", shops=shops) as opened:
        opened.keys = {shop: make_key(opened, shop) for shop in ("default", "toys")}
        fill(opened)
        yield opened
        opened.run(opened.installation.erasing.erasures.finished("default"))
        opened.run(opened.installation.builds.finished("default"))


def make_key(door, shop):
    security = door.installation.security
    by = Caller(kind="local", name="", shop=shop, scopes=frozenset(SCOPES))
    request = KeyRequest(title=f"{CANARY} {shop}", scopes=list(SCOPES))
    return door.run(Administration(security).make_key(by, request)).key


def as_shop(door, shop, method, target, body=None, headers=()):
    bearer = ("authorization", f"Bearer {door.keys[shop]}")
    return door.call(method, target, body, [bearer, *headers])


def fill(door):
    """Something of every kind in the other shop, all of it named by the canary."""
    directory = door.installation.security.directory
    for entry in (
        Account(name=CANARY, roles=("admin",)),
        Client(id=CANARY, scopes=("catalogue:read",)),
        Role(name=CANARY, scopes=("catalogue:read",)),
    ):
        door.run(directory.put("toys", entry, CANARY))
    as_shop(door, "toys", "PUT", f"/v1/products/{CANARY}", {"title": CANARY, "price": "1"})
    placement = {"slots": 3, "fallback": [{"retriever": "popular"}]}
    as_shop(door, "toys", "PUT", f"/v1/placements/{CANARY}", placement)
    event = {"event_id": CANARY, "type": "view", "visitor": CANARY, "product": CANARY}
    assert as_shop(door, "toys", "POST", "/v1/events", {"events": [event]}).json()["accepted"] == 1
    consent = f"/v1/visitors/{CANARY}/consent"
    assert as_shop(door, "toys", "PUT", consent, {"sharing": "denied"}).status == 200


def contents(door, shop):
    store = door.installation.store
    control = {kind: store.control.latest(shop, kind) for kind in KINDS}
    return (
        store.catalogue.changes(shop, 0, 1_000),
        [msgspec.structs.replace(e) for e in store.events.after(shop, 0, 1_000)],
        control,
    )


@pytest.mark.parametrize("operation", all_operations(), ids=lambda op: op.id)
def test_no_operation_reaches_into_the_other_shop(door, operation):
    before = contents(door, "toys")
    path = re.sub(r"\{[^}]+\}", CANARY, operation.path)
    bodies = [operation.body_example]
    if isinstance(bodies[0], dict):
        bodies.append({**bodies[0], "shop": "toys"})
    for body in bodies:
        answer = as_shop(door, "default", operation.method, path, body)
        assert answer.status < 500, answer
        kept = answer.body.replace(b'"instance":"' + path.encode(), b"")
        # The audit log names what the shop itself did to its own things of that name.
        own = operation.personal or operation.id == "list_audit"
        if answer.status < 300 and operation.method == "GET" and not own:
            text = kept.decode().replace(f"{CANARY} default", "")
            assert CANARY not in text, answer
    assert contents(door, "toys") == before


def test_what_is_not_there_and_what_is_anothers_get_the_same_answer(door):
    for path in ("products", "placements", "keys", "clients", "accounts", "roles", "erasures"):
        for method in ("GET", "DELETE"):
            theirs = as_shop(door, "default", method, f"/v1/{path}/{CANARY}")
            nobodys = as_shop(door, "default", method, f"/v1/{path}/{CANARY[::-1]}")
            assert theirs.status == nobodys.status
            assert theirs.status in (404, 405)


def test_the_same_event_id_in_two_shops_is_two_events(door):
    event = {"event_id": "shared", "type": "view", "visitor": "v", "product": CANARY}
    for shop in ("default", "toys"):
        answer = as_shop(door, shop, "POST", "/v1/events", {"events": [event]}).json()
        assert answer["accepted"] == 1


def test_the_shop_is_the_keys_whatever_host_is_asked(door):
    host = ("host", "toys.example.com")
    listed = as_shop(door, "default", "GET", "/v1/products", headers=[host]).json()
    assert CANARY not in str(listed)


def entries(door, shop="default", **query):
    target = "/v1/audit" + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")
    answer = as_shop(door, shop, "GET", target)
    assert answer.status == 200, answer
    return answer.json()


def test_every_change_and_personal_read_is_in_the_audit_log(door):
    as_shop(door, "default", "PUT", "/v1/products/audited", {"title": "x"})
    as_shop(door, "default", "GET", "/v1/visitors/private-person/export")
    as_shop(door, "default", "GET", "/v1/products/audited")
    as_shop(door, "default", "PUT", "/v1/products/refused", {"titel": "x"})
    newest = entries(door, limit=2)["data"]
    assert [e["operation"] for e in newest[:2]] == ["export_visitor", "put_product"]
    assert newest[1]["target"] == "audited"
    assert newest[1]["actor"].startswith("key:")
    assert newest[0]["target"].startswith("visitor:")
    assert "private-person" not in str(entries(door))
    same = entries(door, target=newest[0]["target"])["data"]
    assert {e["operation"] for e in same} == {"export_visitor"}
    assert entries(door, actor="key:nobody")["data"] == []
    theirs = {e["actor"] for e in entries(door, shop="toys", limit=1000)["data"]}
    assert theirs.isdisjoint(e["actor"] for e in entries(door, limit=1000)["data"])


def test_pages_of_the_audit_log_leave_nothing_out(door):
    for n in range(7):
        as_shop(door, "default", "PUT", f"/v1/products/page-{n}", {"title": "x"})

    def mine(data):
        return [e for e in data if e.get("target", "").startswith("page-")]

    whole = mine(entries(door, limit=1000)["data"])
    found, cursor = [], ""
    while True:
        page = entries(door, limit=2, **({"cursor": cursor} if cursor else {}))
        found += page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert mine(found) == whole
    assert [e["target"] for e in whole] == [f"page-{n}" for n in range(6, -1, -1)]


@pytest.mark.parametrize("tampering", ["change", "drop", "drop the newest but one", "insert"])
def test_tampering_with_the_audit_log_shows(tmp_path, tampering):
    with open_door(tmp_path) as door:
        for n in range(6):
            door.put_product(f"p{n}", title="x")
        check = door.get("/v1/audit/check").json()
        assert check == {"intact": True, "blocks": 6, "entries": 6}
        store, names = door.installation.store, None
        names = [r.name for r in store.control.latest("default", KIND)]
        with store.write() as connection:
            if tampering == "change":
                connection.exec_driver_sql(
                    "UPDATE control SET body = replace(body, 'p3', 'p9') WHERE kind = 'audit'"
                )
            elif tampering == "insert":
                connection.exec_driver_sql(
                    "INSERT INTO control SELECT shop, kind, '0000000000000000', version, body, "
                    f"author, note, created_at FROM control WHERE name = '{names[0]}'"
                )
            else:
                place = 3 if tampering == "drop" else 1
                connection.exec_driver_sql(f"DELETE FROM control WHERE name = '{names[place]}'")
        assert not door.get("/v1/audit/check").json()["intact"]
