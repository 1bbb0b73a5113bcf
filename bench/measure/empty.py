"""The empty handler that all is compared with: same Starlette, same uvicorn, same options."""

import asyncio

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from endcap.web.crowd import Crowd
from endcap.web.server import Place, run

BODY = b'{"alive":true}'


async def _nothing(_: Request) -> Response:
    return Response(BODY, media_type="application/json")


def main() -> None:
    """Serve it on a free port."""
    app = Starlette(routes=[Route("/empty", _nothing)])
    place = Place("127.0.0.1", 0, Crowd())
    asyncio.run(run(app, place, lambda url: print(f'{{"url": "{url}"}}', flush=True)))


if __name__ == "__main__":
    main()
