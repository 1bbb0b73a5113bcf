"""`endcap migrate`, `backup`, `restore` and `move`: looking after the store."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from endcap.core.errors import ConfigurationError
from endcap.erasing import LEDGER, ledger_key
from endcap.fresh import system_clock
from endcap.secret import read_secret
from endcap.services.gate import subject_of
from endcap.services.ledger import Ledger
from endcap.settings import Settings
from endcap.storage.backup import SEALED, read_backup, write_backup
from endcap.storage.backup_keys import BackupKeys
from endcap.storage.copies import Reading, copy
from endcap.storage.sealed_rows import OpeningFilling, SealedReading
from endcap.storage.stores import open_reading, open_store
from endcap.wiring import open_installation

from .options import Config, Data, Json, settings_from
from .output import show

File = Annotated[Path, typer.Argument(help="The backup file.")]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", help="A ledger of erasures to replay beside that of the data folder."),
]
Target = Annotated[str, typer.Option("--to", help="Address of the empty store to fill.")]


def migrate(config: Config = None, data: Data = None, json: Json = False) -> None:
    """Bring the store's schema up to this version; servers may go on running."""
    settings = settings_from(config, data=data)
    open_store(settings.store_url, settings.folder, migrating=True).close()
    show({"migrated": True}, "The store has the schema of this version.", json)


def backup(file: File, config: Config = None, data: Data = None, json: Json = False) -> None:
    """Write the whole store into one file, while servers go on running.

    The key of visitor pseudonyms is not in it; keep that elsewhere.
    """
    settings = settings_from(config, data=data)
    with open_reading(settings.store_url, settings.folder) as reading:
        counts = _written(settings, reading, file)
    show({"file": str(file), "counts": counts}, f"{file}: {_text(counts)}", json)


def restore(
    file: File,
    config: Config = None,
    data: Data = None,
    ledger: LedgerFile = None,
    json: Json = False,
) -> None:
    """Fill an empty store, of any kind, from a backup, and erase again whoever was erased since."""
    settings = settings_from(config, data=data)
    # An empty file of keys would make noise of every visitor.
    keys = Path(settings.backup_keys) if settings.backup_keys else None
    for one in (file, ledger, keys):
        if one is not None and not one.is_file():
            raise ConfigurationError(f"there is no file {one}")
    store = open_store(settings.store_url, settings.folder)
    try:
        with store.filling() as filling:
            opening = OpeningFilling(filling, BackupKeys(Path(settings.backup_keys)))
            opens = bool(settings.backup_keys)
            counts = read_backup(file, opening if opens else filling, opens)
    finally:
        store.close()
    erased = asyncio.run(_erased_again(settings, ledger))
    text = f"Restored {_text(counts)}. Erased again: {erased:,}. Next: endcap build"
    if opening.shredded:
        text = f"{opening.shredded:,} rows of erased visitors cannot be read any more. {text}"
    shown = {"counts": counts, "erased": erased, "shredded": opening.shredded}
    show(shown, text, json)


def _written(settings: Settings, reading: Reading, file: Path) -> dict[str, int]:
    """The backup, with the rows of visitors sealed where the settings name a file of keys."""
    if not settings.backup_keys:
        return write_backup(reading, file, system_clock())
    keys, ledger = BackupKeys(Path(settings.backup_keys)), Ledger(settings.folder / LEDGER)
    known = set(ledger.lines())
    subject = partial(subject_of, ledger_key(read_secret(settings)))
    counts = write_backup(SealedReading(reading, keys, subject), file, system_clock(), SEALED)
    # Who was erased meanwhile is in what was read, and must not have got a key anew.
    keys.forget(line.subject for line in set(ledger.lines()) - known)
    return counts


async def _erased_again(settings: Settings, ledger: Path | None) -> int:
    """Replay the ledger beside the store, with the lines of another; how many erasures it was."""
    own = Ledger(settings.folder / LEDGER)
    if ledger is not None:
        known = set(own.lines())
        for line in Ledger(ledger).lines():
            if line not in known:
                own.add(line)
    if not own.lines():
        return 0
    begun, erased = system_clock(), 0
    async with open_installation(settings) as installation:
        for shop in settings.shop_hosts:
            for one in await installation.erasing.erasures.all(shop):
                erased += (one.verified_at or 0) >= begun
    return erased


def move(to: Target, config: Config = None, data: Data = None, json: Json = False) -> None:
    """Copy the store into an empty one of any kind and compare the counts. Stop servers first."""
    settings = settings_from(config, data=data)
    target = open_store(to, settings.folder)
    try:
        source = open_store(settings.store_url, settings.folder)
        try:
            with source.reading() as reading, target.filling() as filling:
                counts = copy(reading, filling)
        finally:
            source.close()
    finally:
        target.close()
    advice = "Now set store_url (ENDCAP_STORE_URL) to the new address and start again."
    show({"counts": counts}, f"Moved {_text(counts)}. {advice}", json)


def _text(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {table}" for table, count in counts.items())
