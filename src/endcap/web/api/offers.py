"""Offers: a discount or products for some visitors, for a time."""

from endcap.core.merchant import Offer
from endcap.web.decisions import DecisionPages

EXAMPLE = {
    "title": "Ten per cent off lanterns",
    "products": ["84945"],
    "discount": {"percent": 10},
    "segments": ["loyal"],
    "zones": ["GB"],
    "schedule": {"months": [11, 12], "time_zone": "Europe/London"},
    "budget": 1000,
    "per_visitor": 3,
    "holdout": 0.1,
}
OPERATIONS = DecisionPages("offer", "offers", Offer, EXAMPLE).operations()
