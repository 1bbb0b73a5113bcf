"""The catalogue as two Parquet files for the kernels: products, and what they are like."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec

from endcap.core.money import to_minor
from endcap.core.ports import Catalogue
from endcap.core.product import Product

PAGE = 5_000
# How much a feature in common says, by kind; a title word is a weak hint.
WEIGHTS = {"category": 1.0, "brand": 1.0, "attribute": 1.0, "tag": 0.5, "word": 0.35}
_DECODER = msgspec.json.Decoder(Product)


class ProductRow(msgspec.Struct, frozen=True):
    """What the kernels need of one product; `price` in minor units, `category` the main one."""

    product: int
    id: str
    grp: str | None
    price: int | None
    currency: str | None
    features: list[str]
    weights: list[float]
    category: str | None


def export_catalogue(catalogue: Catalogue, shop: str, folder: Path) -> int:
    """Write `products.parquet` and `features.parquet` into `folder`; return how many products.

    Products are numbered from 0 in the byte order of their ids.
    """
    lines = folder / "catalogue.ndjson"
    encode = msgspec.json.Encoder().encode
    count, after = 0, ""
    with lines.open("wb") as stream:
        while page := catalogue.page(shop, after, PAGE):
            for number, document in enumerate(page, count):
                row = _row(number, _DECODER.decode(document.body))
                stream.write(encode(row) + b"\n")
            count += len(page)
            after = page[-1].id
    _write(lines, folder)
    lines.unlink()
    return count


def features(product: Product) -> Iterator[tuple[str, float]]:
    """Each feature of a product once, with its weight."""
    found: dict[str, float] = {}
    for path in product.categories:
        parts = path.split(" > ")
        for depth in range(1, len(parts) + 1):
            found[f"category:{' > '.join(parts[:depth])}"] = WEIGHTS["category"]
    if product.brand:
        found[f"brand:{product.brand}"] = WEIGHTS["brand"]
    for key, value in product.attributes.items():
        for one in value if isinstance(value, list) else [value]:
            found[f"attribute:{key}={one}"] = WEIGHTS["attribute"]
    for tag in product.tags:
        found[f"tag:{tag}"] = WEIGHTS["tag"]
    for word in product.title.lower().split():
        letters = "".join(filter(str.isalpha, word))
        if len(letters) >= 3:
            found[f"word:{letters}"] = WEIGHTS["word"]
    yield from found.items()


def _row(number: int, product: Product) -> ProductRow:
    pairs = list(features(product))
    price = None if product.price is None else to_minor(product.price, product.currency or "")
    return ProductRow(
        number,
        product.id,
        product.group,
        price,
        product.currency,
        [name for name, _ in pairs],
        [weight for _, weight in pairs],
        product.categories[0] if product.categories else None,
    )


def _write(lines: Path, folder: Path) -> None:
    columns = (
        "{product: 'INTEGER', id: 'VARCHAR', grp: 'VARCHAR', price: 'BIGINT', currency: 'VARCHAR', "
        "features: 'VARCHAR[]', weights: 'DOUBLE[]', category: 'VARCHAR'}"
    )
    source, target = str(lines).replace("'", "''"), str(folder).replace("'", "''")
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            f"CREATE TABLE c AS SELECT * FROM read_json('{source}', "
            f"format = 'newline_delimited', columns = {columns})"
        )
        connection.execute(
            f"COPY (SELECT product, id, grp, price, currency, category "
            f"FROM c ORDER BY product) TO '{target}/products.parquet' (FORMAT parquet)"
        )
        connection.execute(
            f"COPY (SELECT *, CAST(DENSE_RANK() OVER (ORDER BY feature) AS INTEGER) AS code "
            f"FROM (SELECT product, unnest(features) AS feature, unnest(weights) AS weight "
            f"FROM c)) TO '{target}/features.parquet' (FORMAT parquet)"
        )
