"""Products given as plain values, as the columns the kernels read: the plainest possible."""

import numpy as np

from endcap.rules.columns import Coded
from endcap.rules.fields import PRODUCT
from endcap.rules.kinds import BOOL, DOUBLE, STRING

KIND = {field.name: field.kind for field in PRODUCT}


class ListedTable:
    def __init__(self, empty):
        self.values = [empty]

    def __len__(self):
        return len(self.values)

    def value(self, code):
        return self.values[code]

    def find(self, value):
        return self.values.index(value) if value in self.values else None

    def having(self, item):
        return [n for n, value in enumerate(self.values) if item in value]

    def code(self, value):
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)


class ListedFields:
    """`products` are mappings as in an environment's `product`."""

    def __init__(self, products):
        self.products = products
        self._tables = {}

    def count(self, rows):
        return len(self._all()[rows])

    def _all(self):
        return np.arange(len(self.products))

    def _values(self, name, key, rows):
        for row in self._all()[rows].tolist():
            value = self.products[row].get(name)
            yield value.get(key) if key is not None and value is not None else value

    def _wanted(self, name, key, kind):
        return key is not None or KIND[name] == kind

    def numbers(self, name, key, rows):
        if not self._wanted(name, key, DOUBLE):
            return None
        values = list(self._values(name, key, rows))
        return np.array([v if type(v) is float else np.nan for v in values], np.float64)

    def flags(self, name, key, rows):
        if not self._wanted(name, key, BOOL):
            return None
        values = list(self._values(name, key, rows))
        return np.array([int(v) if type(v) is bool else -1 for v in values], np.int8)

    def texts(self, name, key, rows):
        return self._coded(name, key, rows, str, STRING, "")

    def lists(self, name, key, rows):
        return self._coded(name, key, rows, tuple, "list(string)", ())

    def _coded(self, name, key, rows, shape, kind, empty):
        if not self._wanted(name, key, kind):
            return None
        table = self._tables.setdefault((name, key, shape), ListedTable(empty))
        for value in self._values(name, key, slice(None)):
            if type(value) is shape:
                table.code(value)
        codes = [table.find(v) if type(v) is shape else 0 for v in self._values(name, key, rows)]
        return Coded(np.array(codes, np.int32), table)
