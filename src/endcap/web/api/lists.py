"""Lists made by hand, for the strategy `curated`."""

from endcap.core.merchant import CuratedList
from endcap.web.decisions import DecisionPages

EXAMPLE = {"title": "Gifts under 10 pounds", "products": ["85123A", "22423"]}
OPERATIONS = DecisionPages("list", "lists", CuratedList, EXAMPLE).operations()
