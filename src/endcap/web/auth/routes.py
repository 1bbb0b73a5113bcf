"""Every page for people, for the application to mount."""

from starlette.routing import Route

from .authorize import Authorize
from .door import Door
from .pages import Pages


def people_pages(door: Door) -> list[Route]:
    """Sign-in, account and consent pages."""
    pages = Pages(door)
    return [*pages.routes(), *Authorize(door, pages).routes()]
