"""The OpenAPI document: valid 3.1, complete, and kept by the answers themselves."""

import re

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from endcap.core.errors import ConfigurationError
from endcap.web.app import all_operations
from endcap.web.operations import SCOPES, Operation


@pytest.fixture(scope="module")
def document(door):
    answer = door.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    validator = Draft202012Validator(OPENAPI_31)
    assert [str(error) for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "paths": 7})


def test_every_reference_resolves(document):
    found = re.findall(
        r'"\$ref":"#/components/schemas/([^"]+)"', msgspec.json.encode(document).decode()
    )
    assert found
    assert set(found) <= set(document["components"]["schemas"])


def test_every_operation_is_in_it_with_scope_summary_and_errors(document):
    operations = all_operations()
    assert len(operations) >= 19
    assert len({operation.id for operation in operations}) == len(operations)
    for operation in operations:
        entry = document["paths"][operation.path.replace(":path}", "}")][operation.method.lower()]
        assert entry["operationId"] == operation.id
        assert entry["x-scope"] == operation.scope
        assert operation.scope in {*SCOPES, "open"}
        assert entry["summary"]
        assert str(operation.status) in entry["responses"]
        names = {p["name"] for p in entry.get("parameters", []) if p["in"] == "path"}
        assert names == set(re.findall(r"{([a-z_]+)", operation.path))


def test_an_operation_without_a_scope_does_not_start():
    operation = Operation(
        id="x", method="GET", path="/x", handler=None, scope="", about="X.", tag="X"
    )
    with pytest.raises(ConfigurationError, match="operation x: scope"):
        operation.check()


def test_every_example_is_taken(fresh, document):
    """The examples of the document, sent as they are to a shop that has the product."""
    fresh.put_product("85123A", title="Heart", stock=3, price="2.95")
    sent = 0
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            contents = entry.get("requestBody", {}).get("content", {})
            for kind, content in contents.items():
                if "example" not in content or kind != "application/json":
                    continue
                target = re.sub(r"{(id|placement|name)}", _a_name, path)
                answer = fresh.call(method.upper(), target, content["example"])
                assert answer.status < 300, (path, answer)
                sent += 1
    assert sent >= 5


def _a_name(match):
    return {"id": "85123A", "placement": "product", "name": "example"}[match[1]]


def test_answers_have_the_form_the_document_gives(door, document):
    for method, target, path, body in (
        (
            "GET",
            "/v1/recommendations/product?seed=mug&explain=1",
            "/v1/recommendations/{placement}",
            None,
        ),
        ("GET", "/v1/products?limit=2", "/v1/products", None),
        ("GET", "/v1/products/mug", "/v1/products/{id}", None),
        ("GET", "/v1/placements", "/v1/placements", None),
        ("GET", "/v1/placements/home", "/v1/placements/{name}", None),
        ("GET", "/v1/builds/latest", "/v1/builds/latest", None),
        ("GET", "/readyz", "/readyz", None),
        ("POST", "/v1/events", "/v1/events", {"type": "view"}),
        (
            "POST",
            "/v1/recommendations",
            "/v1/recommendations",
            {"requests": [{"placement": "home"}]},
        ),
    ):
        answer = door.call(method, target, body)
        responses = document["paths"][path][method.lower()]["responses"]
        schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        errors = Draft202012Validator(whole).iter_errors(answer.json())
        assert [str(error) for error in errors] == [], target
