"""Four eyes: what one person wrote another has to make live, whichever way it is tried."""

import pytest

from door import open_door
from endcap.core.accounts import Account

KEY = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"
ROOT = ("authorization", f"Bearer {KEY}")
RULE = {"effect": {"type": "boost", "factor": 2}, "where": "product.price > 1.0"}
SPOT = {"slots": 3, "fallback": [{"retriever": "popular"}]}
TRIAL = {
    "title": "t",
    "placements": ["home"],
    "variants": [{"name": "a"}, {"name": "b", "changes": {"slots": 2}}],
}


class People:
    """Ana and Ben publish, Mia only edits."""

    def __init__(self, door):
        self.door = door
        self.headers = {"key": [ROOT]}
        security = door.installation.security
        for name, role in (("ana", "publisher"), ("ben", "publisher"), ("mia", "merchandiser")):
            account = Account(name=name, roles=(role,))
            door.run(security.directory.put("default", account, "test"))
            session = door.run(security.people.start("default", account))
            self.headers[name] = [
                ("cookie", f"endcap_session={session}"),
                ("x-csrf-token", security.people.csrf(session)),
                ("sec-fetch-site", "same-origin"),
            ]

    def does(self, who, method, path, body=None):
        return self.door.call(method, path, body, self.headers[who])


@pytest.fixture
def people(tmp_path):
    with open_door(tmp_path, api_key=KEY) as door:
        made = People(door)
        assert made.does("key", "GET", "/v1/policy").json()["four_eyes"] is False
        assert made.does("ana", "PUT", "/v1/policy", {"four_eyes": True}).status == 403
        assert made.does("key", "PUT", "/v1/policy", {"four_eyes": True}).json()["four_eyes"]
        assert made.does("mia", "GET", "/v1/policy").json()["author"] == "key:api_key"
        yield made


def refused(answer):
    return answer.status == 403 and answer.json()["code"] == "needs_another_person"


def test_a_rule_goes_live_by_another_person_only(people):
    does = people.does
    assert does("ana", "PUT", "/v1/rules/r", RULE).status == 200
    for who in ("ana", "key"):
        assert refused(does(who, "POST", "/v1/rules/r/publish")), who
    assert does("mia", "POST", "/v1/rules/r/publish").status == 403
    assert people.door.installation.ruling.rules.published("default").rules == {}
    assert does("ben", "POST", "/v1/rules/r/publish").json()["published"] == 1
    # A change by Ben needs Ana; taking out and going back need one person.
    changed = {**RULE, "effect": {"type": "boost", "factor": 3}}
    assert does("ben", "PUT", "/v1/rules/r", changed).status == 200
    assert refused(does("ben", "POST", "/v1/rules/r/publish"))
    assert does("ana", "POST", "/v1/rules/r/publish").json()["published"] == 2
    assert does("ana", "POST", "/v1/rules/r/rollback").json()["published"] == 1
    assert does("ana", "POST", "/v1/rules/r/unpublish").status == 200
    assert does("ana", "POST", "/v1/rules/r/publish").status == 200  # it was live before
    # The pages go the same way.
    form = [("content-type", "application/x-www-form-urlencoded")]
    people.does("ana", "PUT", "/v1/rules/s", RULE)
    csrf = dict(people.headers["ana"])["x-csrf-token"]
    headers = [*people.headers["ana"], *form]
    page = people.door.call(
        "POST", "/dashboard/rules/s/publish", f"csrf={csrf}&force=1".encode(), headers
    )
    assert page.status == 403
    assert b"somebody else" in page.body
    assert "s" not in people.door.installation.ruling.rules.published("default").rules


def test_a_placement_goes_live_as_the_draft_of_another(people):
    does = people.does
    home = "/v1/placements/home"
    draft = f"{home}/draft"
    before = does("ana", "GET", home).json()
    for who in ("ana", "key"):
        assert refused(does(who, "PUT", home, SPOT)), who
    assert does("mia", "PUT", home, SPOT).status == 403
    assert does("mia", "PUT", draft, SPOT).json()["author"] == "account:mia"
    assert does("mia", "POST", draft + "/publish").status == 403
    assert does("ana", "PUT", draft, SPOT).json()["author"] == "account:ana"
    assert refused(does("ana", "POST", draft + "/publish"))
    assert refused(does("ana", "PUT", home, SPOT))  # the same by the other way
    assert refused(does("ben", "PUT", home, {**SPOT, "slots": 4}))  # not what the draft says
    assert does("ben", "POST", draft + "/publish").json()["version"] == before["version"] + 1
    assert does("ben", "GET", draft).status == 404
    assert does("ana", "PUT", home, before["placement"]).status == 200  # back to what was live
    assert does("ana", "DELETE", home).status == 204
    assert does("ana", "PUT", "/v1/placements/new/draft", SPOT).status == 200
    assert refused(does("ana", "PUT", "/v1/placements/new", SPOT))
    assert does("ben", "POST", "/v1/placements/new/draft/publish").json()["version"] == 1


def test_an_experiment_is_started_by_another(people):
    does = people.does
    assert does("ana", "PUT", "/v1/experiments/e", TRIAL).status == 200
    assert refused(does("ana", "POST", "/v1/experiments/e/start"))
    assert refused(does("key", "POST", "/v1/experiments/e/start"))
    assert does("mia", "POST", "/v1/experiments/e/start").status == 200
    assert does("ana", "POST", "/v1/experiments/e/stop").status == 200


def test_who_switches_it_off_is_in_the_audit_log(people):
    does = people.does
    does("ana", "PUT", "/v1/rules/r", RULE)
    off = does("key", "PUT", "/v1/policy", {"four_eyes": False})
    assert off.status == 200
    assert does("ana", "POST", "/v1/rules/r/publish").status == 200
    entries = does("key", "GET", "/v1/audit").json()["data"]
    assert [e["operation"] for e in entries if e["operation"] == "put_policy"] == ["put_policy"] * 2
    assert does("key", "PUT", "/v1/policy", {"four_ears": True}).status == 422


def test_it_stays_on_after_a_restart_and_keeps_no_server_from_starting(tmp_path):
    with open_door(tmp_path) as door:
        assert door.call("PUT", "/v1/policy", {"four_eyes": True}).status == 200
        for view in door.get("/v1/placements").json()["data"]:
            assert door.call("DELETE", f"/v1/placements/{view['name']}").status == 204
    with open_door(tmp_path) as door:
        assert door.get("/v1/policy").json()["four_eyes"]
        # On a server that asks for no sign-in nobody is a person.
        assert refused(door.call("PUT", "/v1/placements/home", SPOT))
