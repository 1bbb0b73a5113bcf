"""`endcap evaluate`: how good the serving code is on held-out data, with intervals."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from endcap.build.parameters import BuildParameters
from endcap.core.errors import InvalidInput
from endcap.evaluate.baskets import lines_of_baskets, read_baskets, run_baskets
from endcap.evaluate.pairs import Asking, lines_of_orders, read_orders, run_orders
from endcap.evaluate.plans import plan_of
from endcap.evaluate.replica import Lines, replica
from endcap.evaluate.report import Evaluation, evaluation, picture, table
from endcap.evaluate.session_data import Examples, examples_of, read_examples, read_visits
from endcap.evaluate.sessions import Protocol, clicks_per_product, lines_of, run_examples
from endcap.recommend.plan import make_plan
from endcap.recommend.query import State
from endcap.recommend.registry import Components

from .held_out import answered, held_out, protocol_of, stored_placement
from .options import Config, Data, Json, settings_from
from .output import Progress, progress, show

app = typer.Typer(help="Measure recommendations on held-out data.", no_args_is_help=True)
Plot = Annotated[Path | None, typer.Option(help="Also draw the result into this SVG file.")]
K = Annotated[int, typer.Option(help="How many answers count.")]
Placement = Annotated[str, typer.Option(help="The ready placement whose strategies answer.")]
Strategy = Annotated[
    list[str] | None,
    typer.Option(help="Only this strategy: a retriever's name, or JSON with options. Repeatable."),
]


@app.command("sessions")
def sessions(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    train: Annotated[Path, typer.Option(help="Sessions to count: session, pos or time, item.")],
    test_prefixes: Annotated[Path | None, typer.Option(help="example, pos, item.")] = None,
    test_targets: Annotated[Path | None, typer.Option(help="example, target.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="Or whole sessions; each prefix counts.")
    ] = None,
    k: K = 20,
    placement: Placement = "home",
    strategy: Strategy = None,
    discovery: Annotated[bool, typer.Option(help="Never show the session's own products.")] = False,
    drop_current: Annotated[bool, typer.Option(help="Never show the current product.")] = False,
    limit: Annotated[int | None, typer.Option(help="Answer only so many examples.")] = None,
    plot: Plot = None,
    json: Json = False,
) -> None:
    """Next item of a session (Parquet or CSV), from every prefix of the test sessions."""
    examples = _examples(test_prefixes, test_targets, test)
    if limit is not None:
        examples = Examples(examples.prefixes[:limit], examples.targets[:limit])
    plan = plan_of(placement, strategy or [])
    protocol = Protocol(k=k, discovery=discovery, drop_current=drop_current)
    ids, lines = lines_of(read_visits(train))
    with _built(ids, lines, json) as (state, report):
        collected = run_examples(state, plan, examples, protocol, report)
    about = {
        "protocol": "next item",
        "placement": plan.name,
        "strategies": ", ".join(strategy or []),
        "discovery": discovery,
        "drop_current": drop_current,
        "k": k,
    }
    _show(evaluation(collected, clicks_per_product(state, lines), about), plot, json)


@app.command("baskets")
def baskets(
    data: Annotated[Path, typer.Option(help="user, basket, item, split (history or future).")],
    k: K = 10,
    placement: Placement = "",
    strategy: Strategy = None,
    plot: Plot = None,
    json: Json = False,
) -> None:
    """Next basket of each customer, by `next_basket` unless told otherwise."""
    given = read_baskets(data)
    plan = plan_of(placement, strategy or ([] if placement else ["next_basket"]))
    ids, lines = lines_of_baskets(given)
    with _built(ids, lines, json) as (state, report):
        collected = run_baskets(state, plan, given, k, report)
    about = {"protocol": "next basket", "placement": plan.name, "k": k}
    about["strategies"] = ", ".join(s.name for s in plan.strategies)
    _show(evaluation(collected, clicks_per_product(state, lines), about), plot, json)


@app.command("also-bought")
def also_bought(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    data: Annotated[
        Path | None, typer.Option(help="Invoice lines; left out, the gift shop of the demo.")
    ] = None,
    k: K = 10,
    asked: Annotated[int, typer.Option(help="Products of an order that are given in turn.")] = 10,
    placement: Placement = "also_bought",
    strategy: Strategy = None,
    plot: Plot = None,
    json: Json = False,
) -> None:
    """From one product of an order of the last 20 %, find the others."""
    shipped = resources.files("endcap.demo").joinpath("data/online_retail.parquet")
    given = read_orders(data or Path(str(shipped)))
    plan = plan_of(placement, strategy or [])
    ids, lines = lines_of_orders(given)
    with _built(ids, lines, json) as (state, report):
        collected = run_orders(state, plan, given, Asking(k=k, asked=asked), report)
    about = {"protocol": "also bought", "placement": plan.name, "k": k, "asked": asked}
    about["strategies"] = ", ".join(strategy or [])
    _show(evaluation(collected, clicks_per_product(state, lines), about), plot, json)


@app.command("log")
def log(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    days: Annotated[int, typer.Option(help="How many last days are held out.")] = 7,
    k: K = 20,
    placement: Placement = "home",
    strategy: Strategy = None,
    protocol: Annotated[str, typer.Option(help="auto, sessions or orders.")] = "auto",
    plot: Plot = None,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """The shop's own last days: built from the days before, asked about those held out."""
    settings = settings_from(config, data=data)
    plan = plan_of(placement, strategy or [])
    if not strategy:
        stored, version = asyncio.run(stored_placement(settings, placement))
        plan = make_plan(placement, version, stored, Components())
    with progress("Evaluating", json) as report, held_out(settings, days, report) as given:
        kind = protocol_of(protocol, placement, given)
        collected = answered(given, plan, kind, k, lambda s, done: report(s, 0.3 + 0.7 * done))
        counts = given.state.joined.popularity("365d")
        clicks = np.zeros(len(given.state.columns), np.int64)
        if counts is not None:
            rows = given.state.joined.rows(np.arange(len(counts.orders), dtype=np.int32))
            clicks[rows[rows >= 0]] = counts.orders[rows >= 0]
    about = {"protocol": kind, "days": days, "placement": plan.name, "k": k}
    about["strategies"] = ", ".join(s.name for s in plan.strategies)
    _show(evaluation(collected, clicks, about), plot, json)


@contextmanager
def _built(ids: list[str], lines: Lines, json: bool) -> Iterator[tuple[State, Progress]]:
    """A shop built from the lines, and where to report answers."""
    with (
        progress("Evaluating", json) as report,
        tempfile.TemporaryDirectory(prefix="endcap-evaluate-") as work,
    ):

        def building(stage: str, done: float) -> None:
            report(stage, 0.3 * done)

        state = replica(ids, lines, Path(work), building, BuildParameters())
        yield state, lambda stage, done: report(stage, 0.3 + 0.7 * done)


def _examples(prefixes: Path | None, targets: Path | None, test: Path | None) -> Examples:
    if test is not None and prefixes is None and targets is None:
        return examples_of(read_visits(test))
    if test is None and prefixes is not None and targets is not None:
        return read_examples(prefixes, targets)
    raise InvalidInput("give --test, or --test-prefixes together with --test-targets")


def _show(made: Evaluation, plot: Path | None, json: bool) -> None:
    if plot is not None:
        plot.write_text(picture(made), "utf-8")
    show(made, table(made), json)
