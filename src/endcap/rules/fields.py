"""The fields an expression may read: one row each, with kind, English and meaning.

A field is written `root.name`. Numbers are doubles. A field that a product or visitor does not
have is missing: see docs/expressions.md for what that does to a comparison.
"""

from typing import NamedTuple

from .kinds import BOOL, DOUBLE, DYN, INT, STRING, STRINGS, Kind


class Field(NamedTuple):
    """One field. `english` stands after `the` or `the seed's`; `dyn` fields take a key."""

    name: str
    kind: Kind
    english: str
    about: str


PRODUCT = (
    Field("id", STRING, "id", "The product's id."),
    Field("group", STRING, "variant group", "The group that joins variants."),
    Field("brand", STRING, "brand", "The brand."),
    Field("category", STRING, "main category", "The first category path, e.g. `Home > Kitchen`."),
    Field("categories", STRINGS, "categories", "All category paths, as given."),
    Field("tags", STRINGS, "tags", "The tags."),
    Field(
        "price", DOUBLE, "price", "Price in the product's currency (that of the zone asked for)."
    ),
    Field("list_price", DOUBLE, "list price", "Price before a reduction."),
    Field("discount", DOUBLE, "discount", "Part taken off the list price: 0.2 is 20 % off."),
    Field("cost", DOUBLE, "cost", "What the product costs the shop."),
    Field("margin", DOUBLE, "margin", "(price - cost) / price: 0.4 is 40 % of the price."),
    Field("currency", STRING, "currency", "ISO 4217 code of the price."),
    Field("rating", DOUBLE, "rating", "Average rating."),
    Field("rating_count", DOUBLE, "number of ratings", "How many ratings; 0 when none."),
    Field("stock", DOUBLE, "stock", "Pieces left; missing when the shop does not count them."),
    Field("in_stock", BOOL, "in stock", "May be sold now, by stock and availability."),
    Field("availability", STRING, "availability", "in_stock, out_of_stock, preorder …"),
    Field("age_days", DOUBLE, "days in the catalogue", "Days since it was first seen."),
    Field(
        "attributes", DYN, "attribute", 'An attribute: `product.attributes.colour` or `["my key"]`.'
    ),
)
VISITOR = (
    Field("known", BOOL, "known", "The request names a visitor with a history."),
    Field("orders", DOUBLE, "number of orders", "Orders ever."),
    Field("spend", DOUBLE, "spend", "Spent ever, net of refunds, in the shop's currency."),
    Field("days_since_seen", DOUBLE, "days since last seen", "Days since the last event."),
    Field("days_since_first_seen", DOUBLE, "days since first seen", "Days since the first event."),
    Field("days_since_order", DOUBLE, "days since the last order", "Days since the last purchase."),
    Field("favourite_category", STRING, "favourite category", "Most seen and bought category."),
    Field("device", STRING, "device", "Kind of device of the request, else the last one seen."),
    Field("zone", STRING, "zone", "Shipping zone of the request, else the last one seen."),
    Field("tags", STRINGS, "tags", "Tags that the shop gave the visitor."),
)
REQUEST = (
    Field("placement", STRING, "placement", "Name of the placement asked for."),
    Field("zone", STRING, "zone asked for", "Shipping zone of the request."),
    Field("device", STRING, "device", "Kind of device of the request."),
    Field("category", STRING, "category asked for", "Category of the request."),
    Field("search", STRING, "search term", "Search term of the request."),
    Field("count", DOUBLE, "number of slots", "How many products are asked for."),
)
CART = (
    Field("size", DOUBLE, "number of products in the cart", "Different products in the cart."),
    Field("total", DOUBLE, "total of the cart", "Sum of their prices, one piece of each."),
    Field("products", STRINGS, "products in the cart", "Ids in the cart."),
    Field("categories", STRINGS, "categories in the cart", "Categories of what is in the cart."),
    Field("brands", STRINGS, "brands in the cart", "Brands of what is in the cart."),
)
NOW = (
    Field("year", INT, "year", "Year, in UTC."),
    Field("month", INT, "month", "Month, 1 to 12, in UTC."),
    Field("day", INT, "day of the month", "Day of the month, 1 to 31, in UTC."),
    Field("weekday", INT, "day of the week", "1 is Monday, 7 is Sunday, in UTC."),
    Field("hour", INT, "hour", "Hour, 0 to 23, in UTC."),
)
ROOTS: dict[str, dict[str, Field]] = {
    root: {field.name: field for field in fields}
    for root, fields in (
        ("product", PRODUCT),
        ("seed", PRODUCT),
        ("visitor", VISITOR),
        ("request", REQUEST),
        ("cart", CART),
        ("now", NOW),
    )
}
"""Every field by root and name. `seed` is the first product the request is about."""

# A bool is said as a state (the product is in stock), all others with one of these.
POSSESSIVE = {
    "product": "the {0}",
    "seed": "the seed's {0}",
    "visitor": "the visitor's {0}",
    "request": "the {0}",
    "cart": "the {0}",
    "now": "the {0}",
}


class Schema(NamedTuple):
    """Which roots an expression may read, and which fields it may not; `why` tells the writer.

    `rows` is the root whose fields are columns: of masks over visitors it is the visitor.
    """

    roots: frozenset[str]
    why: str = ""
    hidden: frozenset[str] = frozenset()
    rows: str = "product"


EVERYTHING = Schema(frozenset(ROOTS))
NO_PRODUCT = Schema(
    frozenset(ROOTS) - {"product"}, "a condition on the request cannot read the products"
)
# Who may ask for recommendations need not know what the shop pays, or what a visitor spent.
REQUEST_FILTER = Schema(
    frozenset(ROOTS) - {"visitor"},
    "a filter of a request cannot read the visitor",
    frozenset({"cost", "margin"}),
)
VISITOR_ONLY = Schema(
    frozenset({"visitor", "now"}),
    "a segment reads the visitor and the time",
    frozenset({"segments"}),
)
VISITORS = VISITOR_ONLY._replace(rows="visitor")
PRODUCT_ONLY = Schema(frozenset({"product"}), "this condition may read the product only")
