from decimal import Decimal

import pytest

from endcap.core.event import EventIn
from endcap.core.money import to_minor
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.ingest.traffic import traffic_of
from endcap.ingest.validate import Sender, Validator

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5"


@pytest.mark.parametrize(
    ("agent", "traffic"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0", "bot"),
        (PHONE, None),
        ("python-httpx/0.28", None),
        ("Mozilla/5.0 (Linux; Android 8.1.0; CUBOT X18 Plus)", None),
        ("", None),
    ],
)
def test_programs_are_told_by_their_name(agent, traffic):
    assert traffic_of(agent) == traffic


def test_traffic_and_total_reach_the_stored_event():
    validator = Validator(Pseudonyms(b"k" * 32), lambda: "fresh")
    given = EventIn(type="purchase", visitor="v", event_id="e", products=[], total=Decimal("12.50"))
    given.products = [_line("a")]
    found = validator.check(given, Sender("default", "api", 1_700_000_000_000, "EUR", 0, "bot"))
    assert found.event.traffic == "bot"
    assert (found.event.reported, found.event.currency) == (to_minor(given.total, "EUR"), "EUR")


def _line(id):
    from endcap.core.event import LineIn

    return LineIn(id=id)
