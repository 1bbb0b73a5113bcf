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
    features: list[int]
    category: str | None


class FeatureRow(msgspec.Struct, frozen=True):
    """A feature: its number, its name, and how much it says."""

    code: int
    feature: str
    weight: float


def export_catalogue(catalogue: Catalogue, shop: str, folder: Path) -> int:
    """Write `products.parquet` and `features.parquet` into `folder`; return how many products.

    Products are numbered from 0 in the byte order of their ids, features from 0 as they come up.
    """
    lines, names = folder / "catalogue.ndjson", folder / "features.ndjson"
    encode = msgspec.json.Encoder().encode
    known: dict[str, FeatureRow] = {}
    count, after = 0, ""
    with lines.open("wb") as stream:
        while page := catalogue.page(shop, after, PAGE):
            for number, document in enumerate(page, count):
                row = _row(number, _DECODER.decode(document.body), known)
                stream.write(encode(row) + b"\n")
            count += len(page)
            after = page[-1].id
    with names.open("wb") as stream:
        stream.writelines(encode(feature) + b"\n" for feature in known.values())
    _write(lines, names, folder)
    for file in (lines, names):
        file.unlink()
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


def _row(number: int, product: Product, known: dict[str, FeatureRow]) -> ProductRow:
    price = None if product.price is None else to_minor(product.price, product.currency or "")
    codes = []
    for name, weight in features(product):
        feature = known.get(name)
        if feature is None:
            feature = known[name] = FeatureRow(len(known), name, weight)
        codes.append(feature.code)
    main = product.categories[0] if product.categories else None
    return ProductRow(number, product.id, product.group, price, product.currency, codes, main)


def _write(lines: Path, names: Path, folder: Path) -> None:
    product = (
        "{product: 'INTEGER', id: 'VARCHAR', grp: 'VARCHAR', price: 'BIGINT', currency: 'VARCHAR', "
        "features: 'INTEGER[]', category: 'VARCHAR'}"
    )
    feature = "{code: 'INTEGER', feature: 'VARCHAR', weight: 'DOUBLE'}"
    target = _quoted(folder)
    with duckdb.connect(config={"threads": 2}) as connection:
        for table, file, columns in (("c", lines, product), ("named", names, feature)):
            connection.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_json('{_quoted(file)}', "
                f"format = 'newline_delimited', columns = {columns})"
            )
        connection.execute(
            f"COPY (SELECT product, id, grp, price, currency, category "
            f"FROM c ORDER BY product) TO '{target}/products.parquet' (FORMAT parquet)"
        )
        connection.execute(
            f"COPY (SELECT held.product, named.feature, named.weight, named.code "
            f"FROM (SELECT product, unnest(features) AS code FROM c) AS held "
            f"JOIN named ON named.code = held.code) "
            f"TO '{target}/features.parquet' (FORMAT parquet)"
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
