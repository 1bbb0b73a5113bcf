"""Synthetic shops ready to serve: made and built once, then kept under bench/out/shops."""

import subprocess
import sys
import time
from pathlib import Path

from measure.processes import ROOT
from measure.report import OUT
from synthetic.shop import ShopSize, digest_of, environment, make_shop

COMMAND = "from endcap.cli import main; main()"


def made_shop(products: int, events: int) -> Path:
    """The folder of a shop of this size, with its log archived but nothing built by this call."""
    size = ShopSize(products, events)
    folder = OUT / "shops" / size.name
    make_shop(size, folder, time.time_ns() // 1_000_000, lambda text: print(text, file=sys.stderr))
    return folder


def ready_shop(products: int, events: int) -> Path:
    """The folder of a shop of this size, built."""
    folder = made_shop(products, events)
    if not _is_built(folder):
        print("building its relations", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-c", COMMAND, "build", "--data", str(folder), "--json"],
            env={**environment(), "PYTHONPATH": str(ROOT / "src")},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        mark_built(folder)
    return folder


def mark_built(folder: Path) -> None:
    """Note that the shop has a snapshot of this code."""
    (folder / "built").write_text(_code())


def _is_built(folder: Path) -> bool:
    mark = folder / "built"
    return mark.exists() and mark.read_text() == _code()


def _code() -> str:
    return digest_of("build/snapshot_writer.py", "relations/snapshot.py")
