"""Visitors, settings and the audit log in the dashboard."""

import re
from urllib.parse import urlencode

import pytest

from door import open_door

VISITOR = "ana@shop <i>"


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with open_door(tmp_path_factory.mktemp("people")) as opened:
        for n in range(3):
            opened.put_product(f"p{n}", title=f"Product {n}", brand="Acme", price="5.00", stock=2)
        opened.send({"event_id": "1", "type": "view", "visitor": VISITOR, "product": "p1"})
        yield opened


def post(door, path, **form):
    return door.post(f"/dashboard/{path}", urlencode(form).encode())


def person(door, visitor=VISITOR):
    return door.get("/dashboard/visitors.json", id=visitor).json()["person"]


def audited(door, operation):
    found = door.get("/dashboard/audit.json", operation=operation).json()["page"]["data"]
    return [entry["target"] for entry in found]


def test_a_visitor_is_shown_without_the_id_and_the_look_is_audited(door):
    before = len(audited(door, "dashboard_visitors"))
    found = person(door)
    assert [(step["type"], step["products"]) for step in found["events"]] == [("view", ["p1"])]
    assert found["preview"]["after"]
    html = door.get("/dashboard/visitors", id=VISITOR).body.decode()
    assert "<i>" not in html
    assert found["known_as"] in html
    looks = audited(door, "dashboard_visitors")
    assert len(looks) == before + 2
    assert all(target.startswith("visitor:") and VISITOR not in target for target in looks)
    door.get("/dashboard/visitors")  # nobody in particular: no entry
    assert len(audited(door, "dashboard_visitors")) == before + 2


def test_profile_and_consent_are_changed(door):
    facet = person(door)["profile"]["facets"][0]["facet"]
    assert post(door, "visitors/mute", id=VISITOR, facet=facet).status == 303
    assert person(door)["profile"]["muted"] == [facet]
    post(door, "visitors/mute", id=VISITOR, facet=facet)
    assert person(door)["profile"]["muted"] == []
    kept = post(door, "visitors/consent", id=VISITOR, personalisation="denied")
    assert kept.status == 303, kept
    assert person(door)["consent"]["consent"]["personalisation"] == "denied"
    assert post(door, "visitors/consent", id=VISITOR, sharing="maybe").status == 422
    assert post(door, "visitors/consent").status == 422


def test_a_visitor_is_erased_after_typing_the_id_again(door):
    door.send({"event_id": "2", "type": "view", "visitor": "gone", "product": "p1"})
    assert person(door, "gone")["events"]
    refused = post(door, "visitors/erase", id="gone", again="gome")
    assert refused.status == 422
    assert "type the same id once more" in refused.body.decode()
    assert person(door, "gone")["events"]
    assert post(door, "visitors/erase", id="gone", again="gone").status == 303
    assert person(door, "gone")["events"] == []
    assert door.get("/dashboard/visitors.json").json()["erasures"][0]["mode"] == "erase"
    assert all(target.startswith("visitor:") for target in audited(door, "dashboard_visitor_erase"))


def test_accounts_roles_and_keys(door):
    assert post(door, "settings/role", name="night", **{"scope_reports:read": "1"}).status == 303
    made = post(door, "settings/account", name="bea", role="night", password="a long one, surely")
    assert made.status == 303, made
    accounts = door.get("/dashboard/settings.json").json()["accounts"]
    assert accounts == [
        {"name": "bea", "roles": ["night"], "disabled": False, "has_password": True}
    ]
    assert post(door, "settings/role-out", name="night").status in (409, 412)
    assert post(door, "settings/account", name="bea", disabled="1").status == 303
    assert door.get("/dashboard/settings.json").json()["accounts"][0]["disabled"]
    key = post(door, "settings/key", kind="secret", title="Till", **{"scope_events:write": "1"})
    text = re.search(r"<code>(rk_[^<]+)</code>", key.body.decode()).group(1)
    kept = door.get("/dashboard/settings.json").json()["keys"]
    assert text not in str(kept)
    assert text not in door.get("/dashboard/settings").body.decode()  # shown once
    answer = door.post("/v1/events", {"events": []}, [("authorization", f"Bearer {text}")])
    assert answer.status != 401
    assert post(door, "settings/key-out", id=kept[0]["id"]).status == 303
    assert door.get("/dashboard/settings.json").json()["keys"] == []
    assert audited(door, "dashboard_key-out") == [kept[0]["id"]]


@pytest.mark.parametrize(
    ("path", "form", "pointer"),
    [
        ("account", {"name": "no spaces", "role": "admin"}, "/name"),
        ("key", {"kind": "secret"}, "/scopes"),
        ("key", {"kind": "publishable"}, "/origins"),
        ("key", {"kind": "magic", "scope_reports:read": "1"}, "/kind"),
    ],
)
def test_a_problem_stands_at_its_field(door, path, form, pointer):
    answer = post(door, f"settings/{path}", **form)
    assert answer.status == 422, answer
    assert f"<code>{pointer}</code>" in answer.body.decode()


def test_the_audit_log_is_searched_and_checked(door):
    page = door.get("/dashboard/audit.json", check="1").json()
    assert page["check"]["intact"]
    assert page["page"]["data"]
    assert door.get("/dashboard/audit", since="whenever").status == 422
    assert door.get("/dashboard/audit", cursor="x").status == 422
