"""Pages beside the API: Swagger UI with its own files, and one page per kind of error."""

from importlib import resources

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import problems

FOLDER = "vendor/swagger-ui"
TYPES = {".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
# Swagger UI sets style attributes from its script, and its icons are data URLs.
CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"  # noqa: E501
CACHED = {"cache-control": "public, max-age=86400"}

_DOCS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Endcap API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/assets/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
"""
_START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
});
"""


def routes(openapi: bytes, postman: bytes) -> list[Route]:
    """The routes of all pages; `openapi` and `postman` are documents as JSON."""

    async def openapi_json(_: Request) -> Response:
        return Response(openapi, media_type="application/json")

    async def postman_json(_: Request) -> Response:
        name = {"content-disposition": 'attachment; filename="endcap.postman_collection.json"'}
        return Response(postman, media_type="application/json", headers=name)

    return [
        Route("/openapi.json", openapi_json),
        Route("/postman.json", postman_json),
        Route("/docs", _docs),
        Route("/docs/assets/{name}", _asset),
        Route("/docs/errors/{code}", _error),
        Route("/", _home),
    ]


async def _home(_: Request) -> Response:
    return RedirectResponse("/docs")


async def _docs(_: Request) -> Response:
    return Response(_DOCS, media_type="text/html", headers={"content-security-policy": CSP})


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=CACHED)
    folder = resources.files(__package__).joinpath(FOLDER)
    known = {file.name: file for file in folder.iterdir()}
    kind = TYPES.get(name[name.rfind(".") :])
    if name not in known or kind is None:
        raise problems.NoSuchRoute
    return Response(known[name].read_bytes(), media_type=kind, headers=CACHED)


async def _error(request: Request) -> Response:
    page = problems.page(request.path_params["code"])
    if page is None:
        raise problems.NoSuchRoute
    return Response(page, media_type="text/html", headers={"content-security-policy": CSP})
