"""Results as a table on the terminal and as JSON under bench/out."""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

OUT = Path(__file__).resolve().parents[1] / "out"


def report(name: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print the table and write `bench/out/NAME.json` with the machine it was measured on."""
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(shown(value) for value in row))
    Console(width=None if os.isatty(1) else 110).print(table)
    save(name, {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows]})


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result with the machine it was measured on."""
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"{name}.json"
    whole = {"bench": name, "machine": machine(), **result}
    file.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n")
    return file


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(": ")[2] if names else ""
    return {
        "cores": os.cpu_count(),
        "cpu": model,
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def shown(value: Any) -> str:
    """A value as the table shows it."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return float(statistics.median(values))
