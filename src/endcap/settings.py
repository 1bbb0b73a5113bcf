"""Every setting once: its name, its default, and a sentence. Read from endcap.toml and ENDCAP_…."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.money import is_currency

FILE = "endcap.toml"
PREFIX = "ENDCAP_"
CHOICES = {
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "text", "auto"),
    "log_requests": ("slow", "all", "none"),
}
Role = Literal["all", "recommend", "collect", "admin", "worker"]

LIMITS = (
    "limit_client",
    "limit_browser_key",
    "limit_visitor",
    "limit_address",
    "keep_events_days",
    "keep_served_days",
    "keep_refused_days",
)


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
    cache_url: Annotated[
        str,
        _about("Redis for visitor state, like redis://host:6379/0. Empty: none. Never needed."),
    ] = ""
    role: Annotated[
        Role,
        _about(
            "What this process does: all, or as one of several on a database server recommend, "
            "collect, admin or worker."
        ),
    ] = "all"
    drain_seconds: Annotated[
        float,
        _about(
            "Seconds to go on serving, unready, after being told to stop, so that a load balancer "
            "notices; -1: 3 on a shared store, else 0."
        ),
    ] = -1.0
    shop: Annotated[str, _about("The shop that requests are for.")] = DEFAULT_SHOP
    currency: Annotated[str, _about("ISO 4217 currency of prices sent without one.")] = "EUR"
    host: Annotated[str, _about("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _about("Port to listen on.")] = 8400
    auth: Annotated[
        str,
        _about(
            "Whether callers must show who they are: required, off (on loopback only), or empty: "
            "off on loopback while there is no api_key, else required."
        ),
    ] = ""
    shopify_secret: Annotated[
        str, _about("Secret that signs Shopify's webhooks; empty: none are taken.")
    ] = ""
    api_key: Annotated[
        str, _about("A key with every scope, at least 20 characters; made keys are better.")
    ] = ""
    public_url: Annotated[
        str, _about("How callers reach this server, like https://reco.example.com.")
    ] = ""
    oidc_issuer: Annotated[
        str, _about("An OpenID provider whose access tokens are taken, by its issuer address.")
    ] = ""
    oidc_audience: Annotated[
        str, _about("The audience its tokens must name; empty: this server's own address.")
    ] = ""
    oidc_claim: Annotated[
        str, _about("Where its tokens name roles, like `roles` or `realm_access.roles`.")
    ] = "roles"
    oidc_roles: Annotated[
        str, _about("What its roles mean here, like `shop-admins=admin,buyers=merchandiser`.")
    ] = ""
    shops: Annotated[
        str,
        _about("More shops served, separated by commas: a name, or name=host for its own host."),
    ] = ""
    consent_unknown: Annotated[
        str,
        _about(
            "What counts while a visitor has said nothing about analytics and personalisation: "
            "granted, or denied where the law asks for consent first."
        ),
    ] = "granted"
    keep_events_days: Annotated[
        int, _about("Days that events are kept, in log, archive and reports; 0: for ever.")
    ] = 395
    keep_served_days: Annotated[
        int, _about("Days that the log keeps what was served, for explanations; 0: for ever.")
    ] = 30
    keep_refused_days: Annotated[
        int, _about("Days that refused events are kept, sealed; 0: for ever.")
    ] = 14
    trusted_proxies: Annotated[
        str, _about("Networks of proxies whose X-Forwarded-For counts, separated by commas.")
    ] = ""
    limit_client: Annotated[int, _about("Calls a minute of each secret key or client; 0: any.")] = 0
    limit_browser_key: Annotated[
        int, _about("Calls a minute of each publishable key, unless the key has its own quota.")
    ] = 60_000
    limit_visitor: Annotated[
        int, _about("Events a minute of one visitor by a publishable key; 0: any.")
    ] = 300
    limit_address: Annotated[
        int, _about("Calls a minute of one address by publishable keys; 0: any.")
    ] = 1_200
    secret: Annotated[
        str, _about("Key of visitor pseudonyms, 64 hex digits. Empty: kept in `data`/secret.key.")
    ] = ""
    session_minutes: Annotated[
        int, _about("A visitor's session ends after so many minutes without an event.")
    ] = 30
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
    log_format: Annotated[
        str, _about("json (Elastic Common Schema), text, or auto: text on a terminal.")
    ] = "auto"
    log_requests: Annotated[
        str, _about("Requests that get a log line: slow (or failed), all, none.")
    ] = "slow"

    @property
    def folder(self) -> Path:
        """`data` as a path."""
        return Path(self.data)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    @property
    def open_door(self) -> bool:
        """Whether callers on this machine need no credential."""
        return self.auth == "off" or (not self.auth and self.on_loopback and not self.api_key)

    @property
    def url(self) -> str:
        """The server's own address; issuer and audience of its tokens."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{name}:{self.port}").rstrip("/")

    @property
    def shop_hosts(self) -> dict[str, str]:
        """Every shop served with its host; the default shop has none."""
        parts = (part.strip().partition("=") for part in self.shops.split(",") if part.strip())
        return {self.shop: "", **{name.strip(): host.strip().lower() for name, _, host in parts}}


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
    for name in ("build_threads", "keep_snapshots", "max_body", "max_import_body"):
        if getattr(settings, name) < 1:
            raise ConfigurationError(f"{name}: {getattr(settings, name)} is below 1")
    if settings.build_every < 0:
        raise ConfigurationError(f"build_every: {settings.build_every} is below 0")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", settings.build_memory):
        raise ConfigurationError(f"build_memory: `{settings.build_memory}` is no size like 2GB")
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            raise ConfigurationError(f"{name}: must be one of {', '.join(choices)}")
    _check_security(settings)
    _check_privacy(settings)


def _check_security(settings: Settings) -> None:
    if settings.auth not in ("", "off", "required"):
        raise ConfigurationError(f"auth: must be required or off, not `{settings.auth}`")
    if settings.auth == "off" and not settings.on_loopback:
        raise ConfigurationError(
            f"auth: off would let everybody who reaches {settings.host} do everything; "
            "set it to required, or listen on 127.0.0.1"
        )
    if settings.auth == "off" and settings.api_key:
        raise ConfigurationError("auth: off and an api_key contradict each other; take one away")
    if settings.api_key and (len(settings.api_key) < 20 or _is_guessable(settings.api_key)):
        raise ConfigurationError(
            "api_key: needs at least 20 characters that nobody would try, for example the output "
            "of `openssl rand -hex 32`"
        )
    url = settings.public_url
    if url and not url.startswith("https://") and not _is_loopback_url(url):
        raise ConfigurationError(
            f"public_url: `{url}` must begin with https://; tokens and cookies must not travel "
            "in the clear"
        )
    issuer = settings.oidc_issuer
    if issuer and not issuer.startswith("https://") and not _is_loopback_url(issuer):
        raise ConfigurationError(f"oidc_issuer: `{issuer}` must begin with https://")
    for shop in settings.shop_hosts:
        if not shop.isprintable() or not 1 <= len(shop) <= 100 or shop == "*":
            raise ConfigurationError(f"shops: `{shop}` cannot be the name of a shop")


def _check_privacy(settings: Settings) -> None:
    if settings.consent_unknown not in ("granted", "denied"):
        raise ConfigurationError("consent_unknown: must be granted or denied")
    for name in LIMITS:
        if getattr(settings, name) < 0:
            raise ConfigurationError(f"{name}: must not be negative")


def _is_loopback_url(url: str) -> bool:
    host = url.removeprefix("http://").partition("/")[0].rpartition(":")[0]
    return url.startswith("http://") and host in ("127.0.0.1", "localhost", "[::1]")


def _is_guessable(key: str) -> bool:
    words = ("change", "example", "password", "secret", "default", "your", "12345678")
    return len(set(key)) < 8 or any(word in key.lower() for word in words)


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
