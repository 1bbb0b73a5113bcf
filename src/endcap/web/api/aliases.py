"""Other names of products, for events whose ids the catalogue does not know."""

from endcap.core.merchant import Alias
from endcap.web.decisions import DecisionPages

OPERATIONS = DecisionPages("alias", "aliases", Alias, {"product": "85123A"}).operations()
