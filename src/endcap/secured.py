"""Puts the parts that guard an installation together, as its settings say."""

from endcap.access.links import LINK_LIFE, new_link
from endcap.core.ports import Control
from endcap.core.times import Clock
from endcap.services.security import Limits, Security, make_security
from endcap.settings import Settings
from endcap.web.auth.addresses import networks
from endcap.web.auth.door import DoorRules


def security_of(settings: Settings, control: Control, secret: bytes, clock: Clock) -> Security:
    """Accounts, keys, tokens, audit and limits over the store's control data."""
    limits = Limits(
        client=settings.limit_client,
        browser_key=settings.limit_browser_key,
        visitor=settings.limit_visitor,
        address=settings.limit_address,
    )
    return make_security(control, secret, settings.url, limits, clock)


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
