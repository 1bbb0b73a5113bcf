"""The empty handler that all is compared with: same Starlette, same uvicorn, same options."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from endcap.web.server import run

BODY = b'{"alive":true}'


async def _nothing(_: Request) -> Response:
    return Response(BODY, media_type="application/json")


def main() -> None:
    """Serve it on a free port."""
    app = Starlette(routes=[Route("/empty", _nothing)])
    asyncio.run(run(app, "127.0.0.1", 0, lambda url: print(f'{{"url": "{url}"}}', flush=True)))


if __name__ == "__main__":
    main()
