"""Errors as `application/problem+json` (RFC 9457), each `type` a page of this server."""

import html
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import EndcapError, FieldProblem

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """What every error answer holds; `errors` names the fields at fault by JSON pointer."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()


class NoSuchRoute(EndcapError):
    """The API has nothing at this address; `/docs` lists what it has."""

    status = 404
    code = "no_such_route"
    title = "No such route"


class MethodNotAllowed(EndcapError):
    """This address does not take this method; the `Allow` header lists those it takes."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class UnsupportedMediaType(EndcapError):
    """The content type or encoding is none this operation reads."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class HeadersTooLarge(EndcapError):
    """The request's headers are too many or too long; long lists belong into a body."""

    status = 431
    code = "headers_too_large"
    title = "Headers too large"


class RequestTooSlow(EndcapError):
    """The request did not arrive in time; nothing was stored. Send it again, all of it at once."""

    status = 408
    code = "request_too_slow"
    title = "Request too slow"


def response_of(error: EndcapError, instance: str, request_id: str) -> Response:
    """The error as an answer."""
    content, kind = content_of(error, instance, request_id)
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if error.status == 401:
        invalid = ' error="invalid_token"' if error.code == "invalid_token" else ""
        headers["www-authenticate"] = f"Bearer{invalid}"
    if error.status == 413:
        # The rest of the body is not read.
        headers["connection"] = "close"
    return Response(content, error.status, headers, kind)


def content_of(error: EndcapError, instance: str, request_id: str) -> tuple[bytes, str]:
    """The error as JSON, and its content type."""
    problem = Problem(
        type=f"/docs/errors/{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=instance,
        code=error.code,
        request_id=request_id,
        errors=error.problems,
    )
    return msgspec.json.encode(problem), MEDIA_TYPE


def known() -> dict[str, type[EndcapError]]:
    """Every error class that an answer can name, by code."""
    found: dict[str, type[EndcapError]] = {}
    waiting: list[type[EndcapError]] = [EndcapError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting += kind.__subclasses__()
    return dict(sorted(found.items()))


def page(code: str) -> str | None:
    """The page that explains a code; None for an unknown one."""
    kind = known().get(code)
    if kind is None:
        return None
    fields: dict[str, Any] = {
        "title": html.escape(kind.title),
        "code": html.escape(code),
        "status": kind.status,
        "advice": html.escape(" ".join((kind.__doc__ or "").split())),
    }
    return _PAGE.format(**fields)


_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<main>
<h1>{title}</h1>
<p>{advice}</p>
<p>HTTP status {status}, code <code>{code}</code>. The answer's <code>detail</code> says what it was
this time, <code>errors</code> names the fields, and the server's log has more under
<code>request_id</code>.</p>
<p><a href="/docs">All operations</a></p>
</main>
</body>
</html>
"""
