"""What `endcap doctor` looks at: settings, disk, store, cache, catalogue, log, snapshot."""

import shutil
from collections.abc import Iterator, Mapping
from typing import Literal

from endcap.core.errors import EndcapError, StoreUnavailable
from endcap.core.times import DAY, HOUR, SECOND, format_time
from endcap.fresh import system_clock
from endcap.installation import Installation
from endcap.settings import Settings
from endcap.storage.sql.sqlite import sqlite_version
from endcap.surroundings import Finding, look_around
from endcap.wiring import open_installation

FREE_BYTES = 2**30
# Older versions can corrupt a database that two connections write at once.
SOUND_SQLITE = (3, 51, 3)


STORE_ADVICE = "is the database server running, and can this machine and this user reach it?"
SHORTLY = 60 * SECOND


async def examine(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything; a store that does not open ends the examination with that finding."""
    findings = [*_machine(settings), *look_around(settings, environ, system_clock)]
    try:
        async with open_installation(settings) as installation:
            findings += await _cache(installation)
            findings += _shop(installation)
            findings += _log(installation)
    except EndcapError as error:
        findings.append(Finding("wrong", *_cause(error)))
    return findings


def _cause(error: EndcapError) -> tuple[str, str]:
    first, _, rest = error.detail.partition("\n")
    connects = "store_url" in first or isinstance(error, StoreUnavailable)
    return first, " ".join(rest.split()) or (STORE_ADVICE if connects else "")


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
    ahead = max(event.received_at for event in events) - installation.clock()
    if ahead > SHORTLY:
        text = f"the newest events were received {ahead // SECOND} s in the future"
        yield Finding("wrong", text, "the clock of this machine or of another one is wrong: NTP")
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
