"""The synthetic catalogue: products with categories, brands, prices and attributes.

Products are numbered from 0. A product's category is drawn with Zipf weights, and inside its
category it has a rank; how often it is looked at falls with that rank (see `events`).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from endcap.core.product import Product

from .words import COLOURS, KINDS, MATERIALS, SIZES, STYLES, TOPS

Ints = npt.NDArray[np.int64]
CURRENCY = "EUR"


class Catalogue(NamedTuple):
    """Arrays over products, and where each category's products stand in `by_category`."""

    category: Ints
    brand: Ints
    price_minor: Ints
    look: Ints
    paths: list[str]
    by_category: Ints
    starts: Ints
    sizes: Ints
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.category)


def make_catalogue(products: int, seed: int) -> Catalogue:
    """The arrays; the same number and seed give the same catalogue."""
    chance = np.random.default_rng([seed, 1])
    paths = _paths(products)
    weights = 1.0 / np.arange(1, len(paths) + 1) ** 0.7
    weights /= weights.sum()
    category = chance.choice(len(paths), products, p=weights).astype(np.int64)
    brands = max(5, int(products**0.5))
    brand = _power(chance, brands, products, 0.9)
    level = np.exp(chance.normal(3.0, 0.6, len(paths)))
    price = np.maximum(50, 100 * level[category] * np.exp(chance.normal(0, 0.5, products)))
    by_category = np.argsort(category, kind="stable")
    sizes = np.bincount(category, minlength=len(paths)).astype(np.int64)
    attention = sizes * np.exp(chance.normal(0, 0.8, len(paths)))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return Catalogue(
        category=category,
        brand=brand,
        price_minor=(price.astype(np.int64) // 5) * 5,
        look=chance.integers(0, 2**31, products),
        paths=paths,
        by_category=by_category,
        starts=starts,
        sizes=sizes,
        weights=attention / attention.sum(),
    )


def product_id(number: int) -> str:
    """The id of a product."""
    return f"p{number:07d}"


def products(catalogue: Catalogue) -> Iterator[Product]:
    """Every product as the shop would send it."""
    columns = (catalogue.category, catalogue.brand, catalogue.price_minor, catalogue.look)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for number, (category, brand, price, look) in enumerate(rows):
        yield _product(number, catalogue.paths[category], brand, price, look)


def _product(number: int, path: str, brand: int, price: int, look: int) -> Product:
    pick = _picker(look)
    colour, material, style = pick(COLOURS), pick(MATERIALS), pick(STYLES)
    kind = path.rpartition(" > ")[2].rstrip("0123456789 ")
    product = Product(
        id=product_id(number),
        title=f"{style.capitalize()} {colour} {kind.lower()} of {material} no. {number}",
        description=f"A {colour} {kind.lower()} made of {material}, in a {style} style.",
        url=f"/products/{product_id(number)}",
        image=f"/images/{product_id(number)}.webp",
        brand=f"Brand {brand}",
        categories=[path],
        price=Decimal(price).scaleb(-2),
        list_price=Decimal(price * 5 // 4).scaleb(-2) if look % 7 == 0 else None,
        currency=CURRENCY,
        rating=round(2.5 + (look % 26) / 10, 1),
        rating_count=look % 500,
        stock=0 if look % 20 == 0 else look % 300,
        attributes={"colour": colour, "material": material, "style": style},
        tags=["new"] if look % 11 == 0 else [],
    )
    if look % 8 == 0:
        product.group = f"g{number // 4}"
        product.attributes["size"] = SIZES[number % len(SIZES)]
    return product


def _picker(look: int):
    rest = look

    def pick(words: tuple[str, ...]) -> str:
        nonlocal rest
        rest, place = divmod(rest, len(words))
        return words[place]

    return pick


def _paths(products: int) -> list[str]:
    """About one category per 60 products of a small shop, one per 500 of a large one."""
    count = int(max(8, min(2_000, products**0.55)))
    found: list[str] = []
    for number in range(count):
        top = TOPS[number % len(TOPS)]
        place = number // len(TOPS)
        kind = KINDS[(place + number) % len(KINDS)]
        series = place // len(KINDS)
        found.append(f"{top} > {kind}s" if not series else f"{top} > {kind}s {series + 1}")
    return list(dict.fromkeys(found))


def _power(chance: np.random.Generator, ranks: int, size: int, exponent: float) -> Ints:
    """Ranks from 0 whose frequency falls as 1 / rank ** exponent (inverse of the integral)."""
    top = (ranks + 1.0) ** (1 - exponent) - 1
    drawn = (1 + chance.random(size) * top) ** (1 / (1 - exponent)) - 1
    return np.minimum(drawn.astype(np.int64), ranks - 1)
