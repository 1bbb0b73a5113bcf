"""How long expressions take over a million products: `python bench/expressions.py [products]`.

Prints the processor time of the best of several runs for each expression of a corpus, the worst of
them, and what the cost check of the language expected. Nothing is asserted.
"""

import sys
import time

import numpy as np

from endcap.rules.columns import Coded
from endcap.rules.errors import ExpressionError
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING, PRODUCT
from endcap.rules.kinds import BOOL, DOUBLE, STRING

SEED = 20_261_124
RUNS = 15
ENV = {
    "seed": {"price": 20.0, "brand": "b7", "attributes": {"colour": "c3"}},
    "visitor": {"segments": ("loyal",), "orders": 4.0},
    "now": {"month": 12},
}
# As long as lists can be within the 4 KB of an expression.
BRANDS = ",".join(f"'b{n}'" for n in range(500))
IDS = ",".join(f"'{n}'" for n in range(500))
PRICES = ",".join(str(n / 4) for n in range(500))
CORPUS = [
    "product.price < 20.0",
    "product.price <= 1.3 * seed.price && product.brand in ['b1', 'b2']",
    "product.brand == seed.brand && product.attributes.colour == seed.attributes.colour",
    "!(product.brand == 'b3') || product.rating >= 4",
    f"product.brand in [{BRANDS}]",
    f"!(product.brand in [{BRANDS}])",
    f"product.attributes.colour in [{BRANDS}]",
    f"product.id in [{IDS}]",
    f"product.price in [{PRICES}]",
    f"!(product.attributes.weight in [{PRICES}])",
    "product.in_category('cat-1 > sub-2')",
    "'tag-3' in product.tags && !('tag-4' in product.tags)",
    "size(product.tags) > 2",
    "product.brand.startsWith('b1') || product.brand.contains('99')",
    "product.brand < 'b5' && product.attributes.colour >= 'c2'",
    "product.attributes.weight * 2.0 < product.price",
    "(product.price - product.cost) / product.price > 0.4 && product.in_stock",
    "(product.in_stock ? product.price : product.cost) < 5.0",
    "product.in_stock == (product.price < 15.0)",
    "visitor.segment('loyal') && now.month == 12 && product.margin > 0.3",
    " && ".join(f"product.price != {n}.5" for n in range(11)),
    " && ".join(f"product.price != {n}.5" for n in range(20)),
    " || ".join(f"(product.price > {n}.0 && product.rating < {n}.5)" for n in range(6)),
    " || ".join(f"(product.price > {n}.0 && product.rating < {n}.5)" for n in range(9)),
    " || ".join(f"product.brand == 'b{n}'" for n in range(20)),
    " || ".join(f"product.attributes.colour == 'c{n}'" for n in range(8)),
    " * ".join(["product.price"] * 7) + " > 9.0",
    " * ".join(["product.price"] * 8) + " > 9.0",
    " || ".join(f"product.brand in [{BRANDS[:800].rpartition(',')[0]}]" for _ in range(4)),
]


class Names:
    """A table of texts or lists."""

    def __init__(self, values):
        self.values = values
        self.codes = {value: code for code, value in enumerate(values)}

    def __len__(self):
        return len(self.values)

    def value(self, code):
        return self.values[code]

    def find(self, value):
        return self.codes.get(value)

    def having(self, item):
        return [code for code, value in enumerate(self.values) if item in value]


class Made:
    """Columns of made-up products."""

    def __init__(self, size):
        chance = np.random.default_rng(SEED)
        kinds = {field.name: field.kind for field in PRODUCT}
        self.size = size
        self.kinds = kinds
        self.columns = {name: chance.random(size) * 50 for name in kinds if kinds[name] == DOUBLE}
        self.columns["in_stock"] = chance.integers(0, 2, size).astype(np.int8)
        self.columns["weight"] = np.where(chance.random(size) < 0.5, np.nan, chance.random(size))
        brands = Names(["", *(f"b{n}" for n in range(2_000))])
        colours = Names(["", *(f"c{n}" for n in range(40))])
        paths = Names([(), *((f"cat-{n // 9} > sub-{n % 9}",) for n in range(900))])
        tags = Names([(), *(tuple(f"tag-{(n * k) % 60}" for k in range(4)) for n in range(5_000))])
        ids = Names(["", *(f"{n}" for n in range(size))])
        self.coded = {
            "brand": (chance.integers(0, 2_001, size).astype(np.int32), brands),
            "colour": (chance.integers(0, 41, size).astype(np.int32), colours),
            "categories": (chance.integers(0, 901, size).astype(np.int32), paths),
            "tags": (chance.integers(0, 5_001, size).astype(np.int32), tags),
            "id": (np.arange(1, size + 1, dtype=np.int32), ids),
        }

    def count(self, rows):
        return len(self.columns["price"][rows])

    def _column(self, name, key, kind, rows):
        wanted = key if key is not None else name if self.kinds.get(name) == kind else None
        column = self.columns.get(wanted) if wanted else None
        return None if column is None else column[rows]

    def numbers(self, name, key, rows):
        return self._column(name, key, DOUBLE, rows)

    def flags(self, name, key, rows):
        return None if key is not None else self._column(name, key, BOOL, rows)

    def texts(self, name, key, rows):
        found = self.coded.get(key or name)
        if found is None or (key is None and self.kinds[name] != STRING):
            return None
        return Coded(found[0][rows], found[1])

    def lists(self, name, key, rows):
        if key is not None or name not in ("tags", "categories"):
            return None
        codes, table = self.coded[name]
        return Coded(codes[rows], table)


def main(size):
    fields = Made(size)
    worst = ("", 0.0)
    print(f"{size:,} products; ms, best of {RUNS}; first is the first run, with its tables")
    print(f"{'ms':>7} {'first':>7} {'expected':>8}  expression")
    for text in CORPUS:
        try:
            expression = compile_expression(text, EVERYTHING)
        except ExpressionError as error:
            print(f"{'refused':>24}  {text[:80]}  ({error.code})")
            continue
        times = []
        for _ in range(RUNS):
            began = time.thread_time()
            expression.mask(fields, slice(0, size), ENV)
            times.append(1e3 * (time.thread_time() - began))
        best = min(times)
        print(f"{best:7.2f} {times[0]:7.2f} {expression.cost:8.2f}  {text[:80]}")
        worst = max(worst, (text, best), key=lambda pair: pair[1])
    print(f"worst: {worst[1]:.2f} ms  {worst[0][:100]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
