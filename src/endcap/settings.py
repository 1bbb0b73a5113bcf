"""Every setting once: its name, its default, and a sentence. Read from endcap.toml and ENDCAP_…."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.money import is_currency

FILE = "endcap.toml"
PREFIX = "ENDCAP_"


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one installation."""

    data: Annotated[str, _about("Folder for the store, the archive and the snapshots.")] = (
        "endcap-data"
    )
    store_url: Annotated[
        str,
        _about(
            "Store of record: sqlite:///FOLDER, postgresql://, mysql://, mariadb:// or mongodb:// "
            "with host and database. Empty: SQLite inside `data`."
        ),
    ] = ""
    shop: Annotated[str, _about("The shop that requests are for.")] = DEFAULT_SHOP
    currency: Annotated[str, _about("ISO 4217 currency of prices sent without one.")] = "EUR"
    host: Annotated[str, _about("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _about("Port to listen on.")] = 8400
    api_key: Annotated[
        str, _about("Key every API request must carry; needed to listen beyond loopback.")
    ] = ""
    secret: Annotated[
        str, _about("Key of visitor pseudonyms, 64 hex digits. Empty: kept in `data`/secret.key.")
    ] = ""
    build_every: Annotated[
        int, _about("Seconds between automatic builds when events came in; 0 turns them off.")
    ] = 600
    build_memory: Annotated[str, _about("Memory a build may use, e.g. `2GB`.")] = "2GB"
    build_threads: Annotated[int, _about("Threads a build may use.")] = 2
    attribution_days: Annotated[
        int, _about("Longest attribution window in days; reports may ask for a shorter one.")
    ] = 7
    view_through: Annotated[
        bool, _about("Whether products that were seen but not clicked earn credit too.")
    ] = False
    heavy_visitor: Annotated[
        int, _about("Events on one day from which a visitor counts as a program; 0 for never.")
    ] = 3_000
    keep_snapshots: Annotated[int, _about("How many published snapshots are kept.")] = 3
    max_body: Annotated[int, _about("Largest request body in bytes.")] = 4 * 2**20
    max_import_body: Annotated[int, _about("Largest import body in bytes, unpacked.")] = 100 * 2**20
    log_level: Annotated[str, _about("debug, info, warning or error.")] = "info"

    @property
    def folder(self) -> Path:
        """`data` as a path."""
        return Path(self.data)


def read_settings(
    file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Defaults, then the file, then the environment, then `overrides` (command-line options).

    Raises ConfigurationError naming the setting and where it came from.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values.update(tomllib.loads(file.read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{file}: {error}") from error
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() in fields:
            values[name.removeprefix(PREFIX).lower()] = text
    values.update({k: v for k, v in (overrides or {}).items() if v is not None})
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"settings: {error}") from error
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if not is_currency(settings.currency):
        raise ConfigurationError(f"currency: `{settings.currency}` is no ISO 4217 code like EUR")
    if not 0 <= settings.port <= 65_535:
        raise ConfigurationError(f"port: {settings.port} is not 0 to 65535")
    if not 1 <= settings.attribution_days <= 90:
        raise ConfigurationError(f"attribution_days: {settings.attribution_days} is not 1 to 90")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise ConfigurationError("log_level: must be debug, info, warning or error")
    loopback = settings.host in ("127.0.0.1", "::1", "localhost")
    if not loopback and len(settings.api_key) < 20:
        raise ConfigurationError(
            f"host: {settings.host} is reachable from other machines, so api_key must be set "
            "(at least 20 characters), for example to the output of `openssl rand -hex 32`"
        )


def file_text() -> str:
    """A commented endcap.toml with every setting at its default."""
    lines = ["# Endcap settings. Each can also be given as ENDCAP_NAME in the environment.", ""]
    hints = msgspec.structs.fields(Settings)
    for field in hints:
        meta = msgspec.inspect.type_info(field.type)
        about = (getattr(meta, "extra_json_schema", None) or {}).get("description", "")
        default = msgspec.json.encode(field.default).decode()
        lines += [f"# {about}", f"# {field.name} = {default}", ""]
    return "\n".join(lines)
