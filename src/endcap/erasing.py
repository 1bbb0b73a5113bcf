"""Puts together what keeps and erases personal data; part of the composition root."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from endcap.access.sealing import Sealer, derived
from endcap.build import forget
from endcap.core.ports import Retained, Snapshots, VisitorStore
from endcap.core.times import Clock
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.keeping import archive_home
from endcap.measuring import Measuring
from endcap.services.builds import BuildService
from endcap.services.erasure import Anonymiser, ErasureService, Place
from endcap.services.gate import Gate
from endcap.services.group_commit import GroupCommitter
from endcap.services.ledger import Ledger
from endcap.services.letters import Letters
from endcap.services.live import LiveState
from endcap.services.places import InArchive, InBackups, InControl, InLog, InMemory, InSnapshots
from endcap.services.privacy import PrivacyDesk
from endcap.services.retention import Retention
from endcap.services.segments import SegmentService
from endcap.services.served import ServedLog
from endcap.settings import Settings
from endcap.storage.backup_keys import BackupKeys
from endcap.storage.job_log import JobLog
from endcap.storage.stores import Store

GRACE_SECONDS = 2
LEDGER = "erasures.ledger"


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever holds data of visitors."""

    store: Store
    visitors: VisitorStore
    committer: GroupCommitter
    served: ServedLog
    snapshots: Snapshots
    builds: BuildService
    live: LiveState
    measuring: Measuring
    segments: SegmentService


class Erasing(msgspec.Struct, frozen=True, kw_only=True):
    """What answers privacy requests."""

    desk: PrivacyDesk
    erasures: ErasureService
    retention: Retention


def gate_of(settings: Settings, store: Store, secret: bytes, clock: Clock) -> Gate:
    """The privacy gate over the store's control data."""
    unknown = settings.consent_unknown == "granted"
    return Gate(store.control, ledger_key(secret), clock, unknown)


def ledger_key(secret: bytes) -> bytes:
    """Under which visitors are hashed in the ledger, and beside their keys of backups."""
    return derived(secret, "ledger:v1")


def letters_of(secret: bytes, pseudonyms: Pseudonyms) -> Letters:
    """Seals refused events."""
    return Letters(Sealer(secret, "dead-letters"), pseudonyms)


def assemble_erasing(
    settings: Settings,
    holdings: Holdings,
    gate: Gate,
    keys: tuple[bytes, Pseudonyms],
    new_id: Callable[[], str],
    clock: Clock,
) -> Erasing:
    """Export, erasure and retention over everything that holds data."""
    secret, pseudonyms = keys
    store, builds = holdings.store, holdings.builds
    change = holdings.measuring.change

    def forgotten(shop: str, visitors: frozenset[str]) -> int:
        home = archive_home(settings, shop)
        return change(shop, lambda: forget.forget(home, visitors))

    def held(shop: str, visitors: frozenset[str]) -> int:
        return forget.held(archive_home(settings, shop), visitors)

    def expired(shop: str, before: str) -> int:
        home = archive_home(settings, shop)
        return change(shop, lambda: forget.expire(home, before))

    places: tuple[Place, ...] = (
        InMemory(holdings.visitors, holdings.live, holdings.segments),
        InLog(
            store.events,
            holdings.committer,
            holdings.served,
            GRACE_SECONDS if store.shared else 0,
        ),
        InControl(store.control),
        InArchive(forgotten, held, builds),
        InSnapshots(holdings.snapshots, builds, holdings.live),
        InMemory(holdings.visitors, holdings.live, holdings.segments),
    )
    if settings.backup_keys:
        sealing = BackupKeys(Path(settings.backup_keys))
        places += (InBackups(sealing.forget, sealing.held, gate.subject),)
    erasures = ErasureService(
        store.control,
        store.events,
        gate,
        places,
        Ledger(settings.folder / LEDGER),
        derived(secret, "receipts:v1"),
        new_id,
        clock,
    )
    erasures.anonymiser = Anonymiser(
        store.events, holdings.committer, derived(secret, "anonymised:v1")
    )
    days: dict[Retained, int] = {
        "events": settings.keep_events_days,
        "served": settings.keep_served_days,
        "letters": settings.keep_refused_days,
    }
    return Erasing(
        desk=PrivacyDesk(
            store.events,
            gate,
            erasures,
            letters_of(secret, pseudonyms),
            pseudonyms,
            dict(days.items()),
            holdings.segments.tags_of,
        ),
        erasures=erasures,
        retention=Retention(store.events, expired, days, clock, JobLog(settings.folder, clock).run),
    )
