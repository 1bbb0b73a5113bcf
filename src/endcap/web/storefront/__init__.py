"""The storefront's one script, `/endcap.js`."""

import base64
import gzip
import hashlib
import re
from functools import lru_cache
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HEADERS = {
    "cache-control": "public, max-age=3600",
    # The script is meant for the pages of other origins.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "vary": "accept-encoding",
}


def script() -> bytes:
    """The script without its comments and indentation."""
    text = resources.files(__package__).joinpath("endcap.js").read_text("utf-8")
    # Comments stand on lines of their own, or between `/*` and `*/`; addresses have none before.
    text = re.sub(r"/\*.*?\*/", "", text)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


@lru_cache(1)
def packed() -> bytes:
    """The script as gzip; the same bytes every time."""
    return gzip.compress(script(), 9, mtime=0)


def integrity() -> str:
    """The value of the script tag's `integrity` attribute (Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script()).digest()).decode()


async def _script(request: Request) -> Response:
    headers = dict(HEADERS)
    content = script()
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = packed(), "gzip"
    return Response(content, media_type="text/javascript", headers=headers)


def routes() -> list[Route]:
    """The route of the script."""
    return [Route("/endcap.js", _script)]
