"""Puts the parts that guard an installation together, as its settings say."""

import urllib.error
import urllib.request
from collections.abc import Mapping

import msgspec

from endcap.access.links import LINK_LIFE, new_link
from endcap.access.sealing import Sealer
from endcap.core.errors import EndcapError, InvalidToken
from endcap.core.ports import Control
from endcap.core.times import Clock
from endcap.services.external import ExternalIssuer, Issuer
from endcap.services.limits import SharedBuckets
from endcap.services.oidc_sign_in import OidcClient, OidcSignIn
from endcap.services.security import Limits, Security, make_security
from endcap.settings import Settings
from endcap.web.auth.addresses import networks
from endcap.web.auth.door import DoorRules

FETCH_SECONDS = 5
MAX_FETCHED = 256 * 1024


def security_of(
    settings: Settings,
    control: Control,
    secret: bytes,
    clock: Clock,
    shared: SharedBuckets | None = None,
) -> Security:
    """Accounts, keys, tokens, audit and limits over the store's control data."""
    limits = Limits(
        client=settings.limit_client,
        browser_key=settings.limit_browser_key,
        visitor=settings.limit_visitor,
        address=settings.limit_address,
    )
    security = make_security(control, secret, settings.url, limits, clock, shared)
    if settings.oidc_issuer:
        pairs = (p.partition("=") for p in settings.oidc_roles.split(",") if p.strip())
        issuer = Issuer(
            name=settings.oidc_issuer,
            audience=settings.oidc_audience or settings.url,
            shop=settings.shop,
            claim=settings.oidc_claim,
            roles={theirs.strip(): ours.strip() for theirs, _, ours in pairs},
        )
        external = ExternalIssuer(issuer, security.directory, fetched, clock)
        security.authority.external = external
        if settings.oidc_client_id:
            client = OidcClient(
                id=settings.oidc_client_id,
                secret=settings.oidc_client_secret,
                url=settings.url,
                scopes=settings.oidc_scopes,
            )
            sealer = Sealer(secret, "oidc-sign-in")
            sign_in = OidcSignIn(external, client, security.people, sealer, posted, clock)
            security = msgspec.structs.replace(security, oidc=sign_in)
    return security


def fetched(url: str) -> bytes:
    """What an identity provider's address holds. Raises EndcapError.

    Only https, or http on this machine; no redirect is followed, and little is read.
    """
    return _asked(url, None, {})


def posted(url: str, form: bytes, headers: Mapping[str, str]) -> bytes:
    """What an identity provider answers to a form; as `fetched`. Raises EndcapError."""
    return _asked(url, form, headers)


def _asked(url: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    local = ("http://127.0.0.1:", "http://localhost:", "http://[::1]:")
    if not url.startswith(("https://", *local)):
        raise EndcapError("an address of the identity provider is not https")
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - looked at above
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=FETCH_SECONDS) as got:
            content: bytes = got.read(MAX_FETCHED)
    except urllib.error.HTTPError as error:
        raise InvalidToken(f"the identity provider answered {error.code}") from error
    except OSError as error:
        raise EndcapError(f"the identity provider does not answer: {error}") from error
    return content


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def login_url(url: str, secret: bytes, shop: str, account: str, now: int) -> str:
    """The address of a fresh one-time sign-in link."""
    return f"{url}/login?link={new_link(secret, shop, account, now + LINK_LIFE)}"


def door_rules(settings: Settings) -> DoorRules:
    """How callers are let in. Raises ConfigurationError for proxies that are no networks."""
    return DoorRules(
        shop=settings.shop,
        shops={host: shop for shop, host in settings.shop_hosts.items() if host},
        open=settings.open_door,
        api_key=settings.api_key,
        secure=settings.url.startswith("https://"),
        proxies=networks(settings.trusted_proxies),
    )
