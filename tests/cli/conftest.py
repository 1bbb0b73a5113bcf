import sys
from typing import NamedTuple

import pytest

from endcap.cli import main


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def endcap(tmp_path, monkeypatch, capfd):
    """Runs `endcap …` in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "PORT", "CURRENCY", "API_KEY"):
        monkeypatch.delenv(f"ENDCAP_{name}", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["endcap", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
