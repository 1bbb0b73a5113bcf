"""What commands print: text or JSON on standard output, progress on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from endcap.core.errors import EndcapError

EXIT_FAILED = 1
EXIT_CONFIGURATION = 2
EXIT_PARTIAL = 3

Progress = Callable[[str, float], None]


def say(text: str, as_json: bool) -> None:
    """A line for a person; nothing when the output is JSON."""
    if not as_json:
        print(text, flush=True)


def show(value: Any, text: str, as_json: bool) -> None:
    """The result of a command: `value` as one JSON document, or `text`."""
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
        sys.stdout.flush()
    else:
        print(text, flush=True)


def complain(error: EndcapError) -> None:
    """An error, with the fields it names, on standard error."""
    print(f"endcap: {error.detail}", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem.pointer or '/'}: {problem.message}", file=sys.stderr)


@contextmanager
def progress(title: str, as_json: bool) -> Iterator[Progress]:
    """A reporter `(stage, part done)`: a bar with the time left on a terminal, else plain lines."""
    if as_json:
        yield lambda _stage, _done: None
    elif sys.stderr.isatty():
        with _bar(title) as report:
            yield report
    else:
        yield _lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("  {task.description:<34}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=1.0)

        def report(stage: str, done: float) -> None:
            bar.update(task, description=f"{title}: {stage}" if stage else title, completed=done)

        yield report
        bar.update(task, description=title, completed=1.0)


def _lines(title: str) -> Progress:
    started = time.monotonic()
    seen = ""

    def report(stage: str, done: float) -> None:
        nonlocal seen
        if stage == seen:
            return
        seen = stage
        passed = time.monotonic() - started
        left = f", about {passed / done - passed:.0f} s left" if done > 0.05 else ""
        print(f"  {title}: {stage} ({done:.0%}{left})", file=sys.stderr, flush=True)

    return report
