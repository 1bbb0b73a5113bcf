"""`endcap doctor`: what is right, what is not, and what to do about it."""

import asyncio
import os
import sys

import typer

from endcap.checkup import examine
from endcap.surroundings import Finding

from .options import Config, Data, Json, settings_from
from .output import EXIT_FAILED, show


def doctor(config: Config = None, data: Data = None, json: Json = False) -> None:
    """Say what is wrong with settings, disk, clock, store, cache, telemetry, catalogue, log and
    snapshot, and how to mend it; exit 1 when something is.
    """
    findings = asyncio.run(examine(settings_from(config, data=data), os.environ))
    show(findings, "\n".join(_line(finding) for finding in findings), json)
    if any(finding.level == "wrong" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _line(finding: Finding) -> str:
    marks = {"right": "ok   ", "hint": "hint ", "wrong": "WRONG"}
    colours = {"right": "32", "hint": "33", "wrong": "31"}
    mark = marks[finding.level]
    if sys.stdout.isatty():
        mark = f"\x1b[{colours[finding.level]}m{mark}\x1b[0m"
    advice = f"\n        {finding.advice}" if finding.advice else ""
    return f"{mark}  {finding.text}{advice}"
