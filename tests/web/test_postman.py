"""The Postman collection: every operation once, in the form of version 2.1, ready to send."""

import json
import re

from endcap.web.app import all_operations


def requests_of(collection):
    return [item["request"] for folder in collection["item"] for item in folder["item"]]


def test_it_has_every_operation_in_a_folder_of_its_tag(door):
    answer = door.get("/postman.json")
    assert answer.headers["content-type"] == "application/json"
    collection = answer.json()
    assert "/v2.1.0/" in collection["info"]["schema"]
    found = sorted((r["method"], "/" + "/".join(r["url"]["path"])) for r in requests_of(collection))
    ours = sorted(
        (op.method, re.sub(r"\{(\w+)(:path)?\}", r":\1", op.path)) for op in all_operations()
    )
    assert found == ours
    assert [folder["name"] for folder in collection["item"]] == list(
        dict.fromkeys(op.tag for op in all_operations())
    )


def test_names_in_the_path_are_variables_and_options_are_off(door):
    for request in requests_of(door.get("/postman.json").json()):
        url = request["url"]
        names = [part[1:] for part in url["path"] if part.startswith(":")]
        assert [variable["key"] for variable in url.get("variable", [])] == names
        assert url["raw"] == "{{baseUrl}}/" + "/".join(url["path"])
        assert all(entry["disabled"] for entry in url.get("query", []))


def test_the_requests_with_examples_are_answered(fresh):
    """Sent as Postman would send them, with the names filled in."""
    fresh.put_product("85123A", title="Heart", stock=3, price="2.95")
    names = {":id": "85123A", ":placement": "product", ":name": "example"}
    sent = 0
    for request in requests_of(fresh.get("/postman.json").json()):
        if "body" not in request:
            continue
        path = "/" + "/".join(names.get(part, part) for part in request["url"]["path"])
        answer = fresh.call(request["method"], path, json.loads(request["body"]["raw"]))
        assert answer.status < 300, (path, answer)
        sent += 1
    assert sent >= 5


def test_only_open_operations_send_no_key(door):
    requests = requests_of(door.get("/postman.json").json())
    bare = {r["url"]["raw"] for r in requests if r.get("auth", {}).get("type") == "noauth"}
    assert {"{{baseUrl}}/livez", "{{baseUrl}}/readyz"} <= bare
    assert "{{baseUrl}}/v1/events" not in bare
