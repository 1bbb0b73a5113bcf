"""The operations as a Postman collection (format 2.1), made of the operations themselves.

Source of the format: https://schema.postman.com/collection/json/v2.1.0/draft-07/collection.json
"""

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import msgspec

from .operations import Operation, Parameter

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ADDRESS = "http://127.0.0.1:8400"


def collection(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole collection: a folder per tag, `baseUrl` and `key` as variables."""
    tags = dict.fromkeys(operation.tag for operation in operations)
    return {
        "info": {
            "name": f"Endcap {metadata.version('endcap')}",
            "description": "Set `baseUrl` to the server and `key` to an API key, if it asks for "
            "one.",
            "schema": SCHEMA,
        },
        "item": [
            {"name": tag, "item": [_item(op) for op in operations if op.tag == tag]} for tag in tags
        ],
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{key}}", "type": "string"}],
        },
        "variable": [
            {"key": "baseUrl", "value": ADDRESS, "type": "string"},
            {"key": "key", "value": "", "type": "string"},
        ],
    }


def _item(operation: Operation) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": operation.method,
        "description": operation.about,
        "header": [_entry(p) for p in operation.parameters if p.place == "header"],
        "url": _url(operation),
    }
    if operation.scope == "open":
        request["auth"] = {"type": "noauth"}
    if operation.body_example is not None:
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        example = msgspec.json.format(msgspec.json.encode(operation.body_example), indent=2)
        request["body"] = {
            "mode": "raw",
            "raw": example.decode(),
            "options": {"raw": {"language": "json"}},
        }
    return {"name": operation.about.partition(". ")[0].rstrip("."), "request": request}


def _url(operation: Operation) -> dict[str, Any]:
    # `{name}` of ours is `:name` there; what follows a name inside a segment stays as it is.
    path = operation.path.replace(":path}", "}").replace("{", ":").replace("}", "")
    query = [_entry(p) for p in operation.parameters if p.place == "query"]
    url: dict[str, Any] = {
        "raw": "{{baseUrl}}" + path,
        "host": ["{{baseUrl}}"],
        "path": path.strip("/").split("/"),
    }
    if query:
        url["query"] = query
    variables = [p for p in operation.parameters if p.place == "path"]
    if variables:
        url["variable"] = [{"key": p.name, "value": "", "description": p.about} for p in variables]
    return url


def _entry(parameter: Parameter) -> dict[str, Any]:
    """A query parameter or header, off until it is wanted."""
    value = parameter.schema.get("default", "")
    return {
        "key": parameter.name,
        "value": str(value).lower() if isinstance(value, bool) else str(value),
        "description": parameter.about,
        "disabled": True,
    }
