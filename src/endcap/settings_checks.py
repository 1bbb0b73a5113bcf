"""What settings must be, with a message that says what to do about one that is not."""

import re
from typing import TYPE_CHECKING

from endcap.core.errors import ConfigurationError
from endcap.core.money import is_currency

if TYPE_CHECKING:
    from .settings import Settings

CHOICES = {
    "build_engine": ("duckdb", "spark"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "text", "auto"),
    "log_requests": ("slow", "all", "none"),
}
LIMITS = (
    "limit_client",
    "limit_browser_key",
    "limit_visitor",
    "limit_address",
    "keep_events_days",
    "keep_served_days",
    "keep_refused_days",
    "low_stock",
    "limit_busy",
    "client_patience",
)


def check_settings(settings: "Settings") -> None:
    """Raise ConfigurationError for the first setting that cannot be so."""
    if not is_currency(settings.currency):
        raise ConfigurationError(f"currency: `{settings.currency}` is no ISO 4217 code like EUR")
    if not 0 <= settings.port <= 65_535:
        raise ConfigurationError(f"port: {settings.port} is not 0 to 65535")
    if not 1 <= settings.attribution_days <= 90:
        raise ConfigurationError(f"attribution_days: {settings.attribution_days} is not 1 to 90")
    for name in ("build_threads", "keep_snapshots", "max_body", "max_import_body"):
        if getattr(settings, name) < 1:
            raise ConfigurationError(f"{name}: {getattr(settings, name)} is below 1")
    _check_times(settings)
    _check_builds(settings)
    for name, choices in CHOICES.items():
        if getattr(settings, name) not in choices:
            raise ConfigurationError(f"{name}: must be one of {', '.join(choices)}")
    _check_security(settings)
    _check_oidc(settings)
    _check_privacy(settings)
    _check_telemetry(settings)


def _check_times(settings: "Settings") -> None:
    if settings.build_every < 0:
        raise ConfigurationError(f"build_every: {settings.build_every} is below 0")
    if not 0 <= settings.slate_seconds <= 60:
        raise ConfigurationError(f"slate_seconds: {settings.slate_seconds} is not 0 to 60")


def _check_builds(settings: "Settings") -> None:
    if not 0 <= settings.build_segments <= 200:
        raise ConfigurationError(f"build_segments: {settings.build_segments} is not 0 to 200")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B", settings.build_memory):
        raise ConfigurationError(f"build_memory: `{settings.build_memory}` is no size like 2GB")


def _check_security(settings: "Settings") -> None:
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
    for shop in settings.shop_hosts:
        if not shop.isprintable() or not 1 <= len(shop) <= 100 or shop == "*":
            raise ConfigurationError(f"shops: `{shop}` cannot be the name of a shop")


def _check_oidc(settings: "Settings") -> None:
    issuer = settings.oidc_issuer
    if issuer and not issuer.startswith("https://") and not _is_loopback_url(issuer):
        raise ConfigurationError(f"oidc_issuer: `{issuer}` must begin with https://")
    if (settings.oidc_client_id or settings.oidc_client_secret) and not issuer:
        raise ConfigurationError("oidc_client_id: needs an oidc_issuer to sign in at")
    if "openid" not in settings.oidc_scopes.split():
        raise ConfigurationError("oidc_scopes: must have `openid` among them")


def _check_privacy(settings: "Settings") -> None:
    if settings.consent_unknown not in ("granted", "denied"):
        raise ConfigurationError("consent_unknown: must be granted or denied")
    for name in LIMITS:
        if getattr(settings, name) < 0:
            raise ConfigurationError(f"{name}: must not be negative")


def _check_telemetry(settings: "Settings") -> None:
    if not 0 <= settings.otel_share <= 1:
        raise ConfigurationError(f"otel_share: {settings.otel_share} is not 0 to 1")
    for name in ("otel_endpoint", "sentry_dsn"):
        address = getattr(settings, name)
        if address and not re.match(r"https?://[^\s/]", address):
            raise ConfigurationError(f"{name}: must begin with http:// or https://")
    if not settings.environment.isprintable() or len(settings.environment) > 64:
        raise ConfigurationError("environment: must be at most 64 printable characters")


def _is_loopback_url(url: str) -> bool:
    host = url.removeprefix("http://").partition("/")[0].rpartition(":")[0]
    return url.startswith("http://") and host in ("127.0.0.1", "localhost", "[::1]")


def _is_guessable(key: str) -> bool:
    words = ("change", "example", "password", "secret", "default", "your", "12345678")
    return len(set(key)) < 8 or any(word in key.lower() for word in words)
