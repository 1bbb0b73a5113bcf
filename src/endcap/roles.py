"""Roles: what one process of an installation does."""

from collections.abc import Sequence
from typing import get_args

import msgspec

from endcap.core.errors import ConfigurationError
from endcap.settings import Role, Settings
from endcap.web.app import all_operations
from endcap.web.operations import OPEN, Operation

DRAIN_SHARED = 3.0


class Duties(msgspec.Struct, frozen=True):
    """`scopes` None means every operation; `live` holds catalogue and snapshot in memory."""

    scopes: frozenset[str] | None
    live: bool
    leads: bool
    pages: bool
    needs_store: bool


ROLES: dict[str, Duties] = {
    "all": Duties(None, live=True, leads=True, pages=True, needs_store=False),
    "recommend": Duties(
        frozenset({"recommendations:read"}), live=True, leads=False, pages=False, needs_store=False
    ),
    "collect": Duties(
        frozenset({"events:write"}), live=False, leads=False, pages=False, needs_store=True
    ),
    "admin": Duties(None, live=True, leads=False, pages=True, needs_store=True),
    "worker": Duties(frozenset(), live=False, leads=True, pages=False, needs_store=True),
}
assert set(ROLES) == set(get_args(Role))


def duties(settings: Settings, shared: bool) -> Duties:
    """What this process does. Raises ConfigurationError when its store serves one process."""
    if settings.role != "all" and not shared:
        raise ConfigurationError(
            f"role: {settings.role} is one of several processes, but SQLite serves one; set "
            "store_url to a database server (`endcap move --to URL` takes the shop there)"
        )
    return ROLES[settings.role]


def operations_of(given: Duties) -> Sequence[Operation]:
    """The operations that the process answers."""
    every = all_operations()
    if given.scopes is None:
        return every
    return [one for one in every if one.scope == OPEN or one.scope in given.scopes]


def drain_seconds(settings: Settings, shared: bool) -> float:
    """How long to go on serving after a signal, so that the load balancer notices."""
    if settings.drain_seconds >= 0:
        return settings.drain_seconds
    return DRAIN_SHARED if shared else 0.0
