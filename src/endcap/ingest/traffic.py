"""Telling programs from people by what they call themselves."""

import re

from endcap.core.event import Traffic

# Names by which crawlers, previewers, monitors and test browsers present themselves. Plain HTTP
# clients (curl, python-requests) are left out: shops send events from their servers with them.
_PROGRAMS = re.compile(
    r"(?<!cu)bot\b|bot/|crawl|spider|slurp|headless|lighthouse|pingdom|uptime|facebookexternalhit"
    r"|preview|scrap|phantomjs|prerender",
    re.IGNORECASE,
)


def traffic_of(user_agent: str) -> Traffic | None:
    """`bot` for a User-Agent header that names a program, else None."""
    return "bot" if _PROGRAMS.search(user_agent[:500]) else None
