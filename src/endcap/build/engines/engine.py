"""What a build asks of an engine. The kernels are the same files for all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy.typing as npt

Columns = dict[str, npt.NDArray[Any]]


class Engine(Protocol):
    """Runs SQL over the archive and the catalogue; a context manager."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Let go of everything."""

    def load(self, archive: Sequence[str], exported: Path, more: Sequence[str] = ()) -> None:
        """Make the tables that the kernels read."""

    def table(self, name: str, kernel_name: str, values: Mapping[str, int | float]) -> None:
        """Run a kernel into a table that later kernels read."""

    def store(self, name: str, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Make a table of numpy columns."""

    def drop(self, name: str) -> None:
        """Let go of a table."""

    def run(self, kernel_name: str, values: Mapping[str, int | float]) -> Columns:
        """Run a kernel; its rows as numpy columns."""

    def query(self, sql: str) -> Columns:
        """The rows of a query as numpy columns."""

    def inputs(self, names: Sequence[str]) -> str:
        """A digest of the lines of these event types (or of `features` and `products`)."""

    def number(self, sql: str) -> int:
        """The one number a query gives; 0 for none."""
