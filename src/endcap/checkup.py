"""What `endcap doctor` looks at: settings, disk, store, cache, catalogue, log, snapshot."""

import shutil
from collections.abc import Iterator
from typing import Literal

import msgspec

from endcap.core.errors import EndcapError
from endcap.core.times import DAY, HOUR, format_time
from endcap.settings import Settings
from endcap.storage.sql.sqlite import sqlite_version
from endcap.wiring import Installation, open_installation

FREE_BYTES = 2**30
# Older versions can corrupt a database that two connections write at once.
SOUND_SQLITE = (3, 51, 3)


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at: right, a hint, or wrong; `advice` says what to do."""

    level: Literal["right", "hint", "wrong"]
    text: str
    advice: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a store that does not open ends the examination with that finding."""
    findings = list(_machine(settings))
    try:
        async with open_installation(settings) as installation:
            findings += await _cache(installation)
            findings += _shop(installation)
            findings += _log(installation)
    except EndcapError as error:
        findings.append(Finding("wrong", error.detail))
    return findings


def _machine(settings: Settings) -> Iterator[Finding]:
    version = sqlite_version()
    if tuple(map(int, version.split("."))) >= SOUND_SQLITE:
        yield Finding("right", f"SQLite {version}")
    else:
        advice = "Endcap writes from one connection only, which is safe; pysqlite3 brings a newer"
        yield Finding("hint", f"SQLite {version} is older than 3.51.3", advice)
    folder = settings.folder if settings.folder.exists() else settings.folder.absolute().parent
    free = shutil.disk_usage(folder).free
    level: Literal["right", "wrong"] = "right" if free >= FREE_BYTES else "wrong"
    advice = (
        "" if free >= FREE_BYTES else "free some space: events are refused when the disk is full"
    )
    yield Finding(level, f"{free / 2**30:.1f} GiB free for {settings.data}", advice)


async def _cache(installation: Installation) -> list[Finding]:
    settings, access = installation.settings, installation.access
    seconds = settings.slate_seconds
    found = [
        Finding("right", f"slates that read nothing of their visitor are kept for {seconds:g} s")
        if seconds
        else Finding("hint", "every slate is made anew", "slate_seconds = 1 saves most of the work")
    ]
    if settings.cache_url:
        up = access.link.is_up if access.link is not None else await access.memcached_answers()
        advice = "" if up else "start it, or mend cache_url; answers go on without, but are dearer"
        text = "the cache answers" if up else "the cache (cache_url) does not answer"
        found.append(Finding("right" if up else "wrong", text, advice))
    return found


def _shop(installation: Installation) -> Iterator[Finding]:
    state = installation.live.state(installation.settings.shop)
    columns = state.columns
    if columns.live:
        rows = len(columns)
        sellable = int(columns.sellable[:rows].sum())
        yield Finding("right", f"{columns.live:,} products, {sellable:,} of them can be sold")
    else:
        yield Finding("hint", "the catalogue is empty", "endcap import catalog FILE")
    if installation.live.refused:
        yield Finding("wrong", installation.live.refused, "endcap build")
    elif state.joined.snapshot is None:
        yield Finding("hint", "no snapshot yet: answers come from the catalogue", "endcap build")
    else:
        manifest = state.joined.snapshot.manifest
        age = installation.clock() - manifest.built_at
        old = age > DAY
        text = f"snapshot {manifest.version}, built {format_time(manifest.built_at)}"
        advice = f"it is {age // HOUR} h old: endcap build" if old else ""
        yield Finding("hint" if old else "right", text, advice)


def _log(installation: Installation) -> Iterator[Finding]:
    shop, log = installation.settings.shop, installation.store.events
    events = log.after(shop, max(0, log.last(shop) - 10_000), 10_000)
    if not events:
        yield Finding("hint", "no events yet", "POST /v1/events, or endcap import events FILE")
        return
    columns = installation.live.state(shop).columns
    seen = [line.product for event in events for line in event.lines]
    known = sum(columns.row(product) is not None for product in seen)
    share = known / len(seen) if seen else 1.0
    text = f"{share:.1%} of the products in the last {len(events):,} events are in the catalogue"
    good = share >= 0.9
    advice = "" if good else "check that events carry the catalogue's product ids"
    yield Finding("right" if good else "wrong", text, advice)
    dead = log.dead_letters(shop, 0, 1_000)
    if dead:
        yield Finding("hint", f"{len(dead)} refused events are kept; the last: {dead[-1].reason}")
