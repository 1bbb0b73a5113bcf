"""What a product is like in words a shopper can read: brand, categories, price band, attributes."""

from endcap.core.product import Product

from .categories import ancestors

# Edges of price bands, in units of the currency: 1, 2, 5, 10, 20, 50 …
_STEPS = (1, 2, 5)
MAX_VALUES = 5
# A category says more than the one above it.
UP = 0.5
# Things that have nothing in common may cost the same.
PRICE = 0.4


def price_band(units: float) -> tuple[float, float]:
    """The band a price lies in: at least the first, below the second."""
    low, power = 0.0, 1.0
    while True:
        for step in _STEPS:
            edge = step * power
            if units < edge:
                return low, edge
            low = edge
        power *= 10


def facets_of(product: Product) -> tuple[tuple[str, float], ...]:
    """The product's facets, such as `brand:Acme`, `category:Home > Kitchen`, `price:10-20`.

    Each comes with what it says of the product: 1, of a category half per level upwards, and of a
    price band less than of anything else.
    """
    found: dict[str, float] = {}
    if product.brand:
        found[f"brand:{product.brand}"] = 1.0
    for path in product.categories:
        for up, above in enumerate(ancestors(path)):
            name = f"category:{above}"
            found[name] = max(found.get(name, 0.0), UP**up)
    if product.price is not None:
        low, high = price_band(float(product.price))
        found[f"price:{low:g}-{high:g}"] = PRICE
    for name, value in product.attributes.items():
        for one in (value if isinstance(value, list) else [value])[:MAX_VALUES]:
            found[f"{name}:{one}"] = 1.0
    return tuple(found.items())
