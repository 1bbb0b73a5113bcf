"""The category tree: paths such as `Home > Kitchen`, each node numbered, subtrees as lookups."""

import numpy as np

from .arrays import BoolArray, Symbols

SEPARATOR = " > "


def ancestors(path: str) -> list[str]:
    """The path itself and everything above it, deepest first."""
    parts = path.split(SEPARATOR)
    return [SEPARATOR.join(parts[:depth]) for depth in range(len(parts), 0, -1)]


class CategoryTree:
    """Numbers of category paths; a path brings all its ancestors with it."""

    def __init__(self) -> None:
        self.symbols = Symbols()
        self._subtrees: dict[str, BoolArray] = {}

    def code(self, path: str) -> int:
        """The number of a path; its ancestors get numbers too."""
        known = self.symbols.find(path)
        if known is not None:
            return known
        self._subtrees.clear()
        for above in reversed(ancestors(path)):
            self.symbols.code(above)
        return self.symbols.code(path)

    def subtree(self, path: str) -> BoolArray | None:
        """Lookup by number: is the category `path` or below it? None for an unknown path."""
        if self.symbols.find(path) is None:
            return None
        lookup = self._subtrees.get(path)
        if lookup is None:
            below = path + SEPARATOR
            lookup = np.fromiter(
                (name == path or name.startswith(below) for name in self.symbols.names),
                np.bool_,
                len(self.symbols),
            )
            self._subtrees[path] = lookup
        return lookup
