"""Every setting once: its name, its default, and a sentence. Read from endcap.toml and ENDCAP_…."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.core.ids import DEFAULT_SHOP

from .settings_checks import check_settings

FILE = "endcap.toml"
PREFIX = "ENDCAP_"
Role = Literal["all", "recommend", "collect", "admin", "worker"]


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
    objects_url: Annotated[
        str,
        _about(
            "Where archive and snapshots are kept for all processes: s3://BUCKET/PREFIX, or a "
            "folder; `data` then holds copies. Empty: in `data` alone."
        ),
    ] = ""
    cache_url: Annotated[
        str,
        _about(
            "Redis for visitor state and slates, like redis://host:6379/0, or for slates alone "
            "Memcached, like memcached://host:11211. Empty: none. Never needed."
        ),
    ] = ""
    slate_seconds: Annotated[
        float,
        _about(
            "Seconds for which a slate that reads nothing of its visitor may be given again, up "
            "to 60; changes of catalogue and rules show at once all the same. 0: never."
        ),
    ] = 1.0
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
    oidc_client_id: Annotated[
        str,
        _about("People sign in there too: what the provider knows this server as; empty: no."),
    ] = ""
    oidc_client_secret: Annotated[
        str, _about("The secret of that client; empty: a public client, with PKCE alone.")
    ] = ""
    oidc_scopes: Annotated[
        str, _about("What is asked for at sign-in, so that its ID token has `oidc_claim`.")
    ] = "openid"
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
    low_stock: Annotated[
        int, _about("Webhooks tell when a product's stock falls to this; 0: never.")
    ] = 0
    private_hosts: Annotated[
        str,
        _about(
            "Hosts of the own network that webhooks and feeds may use, as host or host:port, "
            "separated by commas; all others must be public and https."
        ),
    ] = ""
    backup_keys: Annotated[
        str,
        _about(
            "File of the keys that seal each visitor's rows in backups, kept apart from them; "
            "erasing removes a key. Empty: backups are not sealed."
        ),
    ] = ""
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
    limit_busy: Annotated[
        int,
        _about(
            "Requests that may be under way at once in this process; more are refused with 503 and "
            "Retry-After, so that those taken are answered in time. 0: any."
        ),
    ] = 128
    client_patience: Annotated[
        float,
        _about(
            "Seconds for a request's head to arrive, and for the next kilobytes of a body or an "
            "answer to go over; slower clients are cut off. 0: any."
        ),
    ] = 20.0
    secret: Annotated[
        str, _about("Key of visitor pseudonyms, 64 hex digits. Empty: kept in `data`/secret.key.")
    ] = ""
    session_minutes: Annotated[
        int, _about("A visitor's session ends after so many minutes without an event.")
    ] = 30
    build_every: Annotated[
        int, _about("Seconds between automatic builds when events came in; 0 turns them off.")
    ] = 600
    build_engine: Annotated[
        str, _about("What counts in builds: duckdb, or spark for what one machine cannot hold.")
    ] = "duckdb"
    spark_master: Annotated[
        str, _about("Spark's master, like spark://HOST:7077 or yarn; local[*]: this machine alone.")
    ] = "local[*]"
    build_memory: Annotated[str, _about("Memory a build may use, e.g. `2GB`.")] = "2GB"
    build_threads: Annotated[int, _about("Threads a build may use.")] = 2
    build_segments: Annotated[
        int,
        _about("Segments of the shop's own (the first by name) whose best sellers builds count."),
    ] = 20
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

    environment: Annotated[
        str, _about("What this installation is called in telemetry, like production or staging.")
    ] = ""
    otel_endpoint: Annotated[
        str,
        _about(
            "OTLP/HTTP address of an OpenTelemetry collector for traces and logs, like "
            "http://127.0.0.1:4318. Empty: off. Needs endcap[otel]."
        ),
    ] = ""
    otel_headers: Annotated[
        str, _about("Headers to send there, like `api-key=abc`, separated by commas.")
    ] = ""
    otel_share: Annotated[
        float, _about("Share of requests that are traced when their caller does not trace: 0 to 1.")
    ] = 0.1
    sentry_dsn: Annotated[
        str, _about("Address of a Sentry project for errors. Empty: off. Needs endcap[sentry].")
    ] = ""
    cloudwatch_group: Annotated[
        str,
        _about("CloudWatch log group for the log. Empty: off. Needs endcap[cloudwatch]."),
    ] = ""

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
    check_settings(settings)
    return settings
