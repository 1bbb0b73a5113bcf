"""`./run bench kill`: SIGKILL of the server while clients write; acknowledged must mean kept, once.

The short form with 40 kills is a test; this one runs as many as asked and exits 1 when any event
was lost, doubled or never sent.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measure.report import report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from kills import kill_while_writing

    with tempfile.TemporaryDirectory() as folder:
        result = kill_while_writing(folder, options.kills, options.seed)
    report(
        "kill",
        f"{result.kills} SIGKILLs during concurrent ingest",
        ("", "count"),
        [(name, value) for name, value in result.as_dict().items() if name != "problems"],
    )
    wrong = result.lost + result.duplicated + result.phantom + result.twice
    if wrong or result.problems or result.integrity != "ok" or result.kills < options.kills:
        sys.exit(f"not kept: {result}")


if __name__ == "__main__":
    main()
