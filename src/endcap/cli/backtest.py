"""`endcap backtest`: drafts replayed over the requests of the last days."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from endcap.core.placement import Placement
from endcap.evaluate.backtest import Arm, Ask, Backtest, Report, Stage, backtest
from endcap.settings import Settings
from endcap.wiring import open_installation

from .drafts import DraftFile, Drafts, Without, drafted, read_placement
from .options import Config, Data, Json, settings_from
from .output import progress, show


def command(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    rule: Drafts = None,
    without: Without = None,
    placement: Annotated[
        str | None, typer.Option(help="Only this placement; with --draft, the one it is for.")
    ] = None,
    draft: DraftFile = None,
    days: Annotated[float, typer.Option(help="How far back.", min=0.01, max=400)] = 7,
    hours: Annotated[
        float, typer.Option(help="How long after a slate something counts.", min=0.01, max=720)
    ] = 24,
    limit: Annotated[int, typer.Option(help="At most so many slates.", min=1, max=50_000)] = 2_000,
    config: Config = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """What drafts would have shown in the last days, and whether it was wanted."""
    if draft is not None and placement is None:
        raise typer.BadParameter("--draft needs --placement, the one it is a draft of")
    span = (days, hours, limit)
    with progress("backtest", json) as report:
        found = asyncio.run(
            _run(
                settings_from(config, data=data),
                (rule or [], without or []),
                (placement, read_placement(draft)),
                span,
                report,
            )
        )
    show(found, _text(found), json)


async def _run(
    settings: Settings,
    names: tuple[list[str], list[str]],
    place: tuple[str | None, Placement | None],
    span: tuple[float, float, int],
    report: Report,
) -> Backtest:
    async with open_installation(settings) as installation:
        ruling, shop = installation.ruling, settings.shop
        if place[0] is not None:
            installation.placements.plan(shop, place[0])
        after, _ = await drafted(ruling.rules, shop, *names)
        before = ruling.rules.published(shop)
        stage = Stage(
            shop,
            installation.live,
            installation.placements,
            ruling.segments,
            ruling.previews,
            installation.store.events,
        )
        days, hours, limit = span
        now = installation.clock()
        ask = Ask(before, after, place[0], place[1], now, days, hours, limit)
        return await backtest(stage, ask, report)


def _text(found: Backtest) -> str:
    lines = [
        f"{found.slates:,} slates of the last {found.days:g} days; {found.changed:,} change; "
        f"{found.overlap:.0%} of the products are the same on average",
        f"{found.with_outcome:,} were followed by a click, cart or purchase",
        f"{'':22}{'served':>10}{'live now':>10}{'draft':>10}",
    ]
    for name, read in _ROWS.items():
        values = [read(arm) for arm in (found.served, found.live, found.draft)]
        lines.append(f"{name:22}" + "".join(f"{value:>10}" for value in values))
    low, high = found.draft.hit_rate.low, found.draft.hit_rate.high
    lines.append(f"the draft's hit rate lies between {low:.1%} and {high:.1%} (95 %)")
    lines += [f"- {bias}" for bias in found.bias]
    return "\n".join(lines)


_ROWS: dict[str, Callable[[Arm], str]] = {
    "hit rate": lambda arm: f"{arm.hit_rate.value:.1%}",
    "MRR": lambda arm: f"{arm.mrr.value:.3f}",
    "revenue in slates": lambda arm: f"{arm.revenue_hits:.1%}",
    "catalogue shown": lambda arm: f"{arm.coverage:.1%}",
    "slots of the top ten": lambda arm: f"{arm.top_share:.1%}",
    "unevenness (Gini)": lambda arm: f"{arm.gini:.2f}",
    "empty slates": lambda arm: f"{arm.empty:,}",
}
