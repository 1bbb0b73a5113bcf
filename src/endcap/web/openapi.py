"""The OpenAPI 3.1 document, made of the operations themselves."""

from collections.abc import Sequence
from http import HTTPStatus
from importlib import metadata
from typing import Any

import msgspec

from endcap.core.access import SCOPES
from endcap.core.errors import EndcapError, Forbidden, TooManyRequests, Unauthenticated
from endcap.core.event import EventIn

from .operations import OPEN, Operation, Parameter
from .problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{name}"
SCHEMES: dict[str, Any] = {
    "oauth2": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES},
            "authorizationCode": {
                "authorizationUrl": "/oauth/authorize",
                "tokenUrl": "/oauth/token",
                "refreshUrl": "/oauth/token",
                "scopes": SCOPES,
            },
        },
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key (`rk_sec_…`, or `rk_pub_…` from a browser) or an access token.",
    },
    "publishable": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "A publishable key, where a page cannot set headers.",
    },
}
COMMON: tuple[type[EndcapError], ...] = (EndcapError,)


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document."""
    kinds = [kind for op in operations for kind in (op.body, op.answer) if _is_type(kind)]
    kinds = list(dict.fromkeys([Problem, EventIn, *kinds]))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    by_kind = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {}
    for operation in operations:
        path = operation.path.replace(":path}", "}")
        entry = _operation(operation, by_kind)
        paths.setdefault(path, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Endcap",
            "version": metadata.version("endcap"),
            "description": "Product recommendations by rules and counting. Errors are "
            "`application/problem+json`; their `type` opens a page of this server.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": SCHEMES,
        },
    }


def _operation(operation: Operation, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.about.partition(". ")[0].rstrip(".") + ".",
        "description": operation.about,
        "x-scope": operation.scope,
        "security": _security(operation),
        "responses": _responses(operation, by_kind),
    }
    if operation.parameters:
        entry["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        entry["requestBody"] = {"required": True, "content": _content(operation, by_kind)}
    return entry


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.scope == OPEN:
        return []
    needed: list[dict[str, list[str]]] = [{"oauth2": [operation.scope]}, {"key": []}]
    if operation.browser:
        needed.append({"publishable": []})
    return needed


def _parameter(parameter: Parameter) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.about,
        "schema": parameter.schema,
    }
    if parameter.place == "path":
        entry["required"] = True
        entry["schema"] = {**parameter.schema, "minLength": 1, "maxLength": 200}
    return entry


def _content(operation: Operation, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(operation.body, dict):
        content = {kind: {"schema": schema} for kind, schema in operation.body.items()}
    else:
        content = {"application/json": {"schema": by_kind[operation.body]}}
    if operation.body_example is not None:
        content["application/json"]["example"] = operation.body_example
    return content


def _responses(operation: Operation, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        good["content"] = {"application/json": {"schema": by_kind[operation.answer]}}
    responses: dict[str, Any] = {str(operation.status): good}
    if operation.id == "readyz":
        responses["503"] = {**good, "description": "Not ready"}
    guarded = (Unauthenticated, Forbidden, TooManyRequests) if operation.scope != OPEN else ()
    for error in (*operation.errors, *guarded, *COMMON):
        known = responses.get(str(error.status), {}).get("description")
        title = f"{known}; {error.title}" if known else error.title
        if str(error.status) == str(operation.status):
            continue
        responses[str(error.status)] = {
            "description": title,
            "content": {MEDIA_TYPE: {"schema": by_kind[Problem]}},
        }
    return responses


def _is_type(kind: Any) -> bool:
    return kind is not None and not (isinstance(kind, dict))
