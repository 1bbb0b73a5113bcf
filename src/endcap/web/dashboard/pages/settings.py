"""Settings: who may do what, keys, and what was done."""

import msgspec
from starlette.responses import Response

from endcap.core.access import ROLES, SCOPES
from endcap.core.access_requests import (
    AccountRequest,
    AccountView,
    ClientView,
    KeyRequest,
    KeyView,
    RoleRequest,
)
from endcap.core.accounts import Account, Client, Key, Role
from endcap.core.errors import FieldProblem, InvalidInput
from endcap.core.times import parse_time
from endcap.services.administration import Administration, account_view, client_view, key_view
from endcap.services.audit import AuditCheck, AuditFilter, AuditPage
from endcap.web.dashboard.page import Action, Page, PageCall

HOME = "/dashboard/settings"
LISTED = 50


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts, roles, clients and keys; `fresh` is a key just made, shown this once."""

    accounts: list[AccountView]
    roles: dict[str, list[str]]
    own_roles: list[str]
    keys: list[KeyView]
    clients: list[ClientView]
    scopes: dict[str, str]
    fresh: str


class Audit(msgspec.Struct, frozen=True):
    """Entries of the audit log, and the check of its chain when it was asked for."""

    asked: dict[str, str]
    page: AuditPage
    check: AuditCheck | None


async def settings(call: PageCall) -> Settings:
    """Everything that lets somebody in."""
    directory, shop = call.services.security.directory, call.shop
    own = directory.all(shop, Role)
    roles = {**ROLES, **{role.name: frozenset(role.scopes) for role in own}}
    return Settings(
        accounts=[account_view(one) for one in directory.all(shop, Account)],
        roles={name: sorted(scopes) for name, scopes in roles.items()},
        own_roles=[role.name for role in own],
        keys=[key_view(one) for one in directory.all(shop, Key)],
        clients=[client_view(one) for one in directory.all(shop, Client)],
        scopes=SCOPES,
        fresh=call.shown_once,
    )


async def audit(call: PageCall) -> Audit:
    """The audit log, newest first."""
    asked = {n: call.query.get(n, "").strip() for n in ("actor", "operation", "target", "since")}
    cursor = call.query.get("cursor", "")
    if cursor and not (len(cursor) == 16 and cursor.isascii() and cursor.isdigit()):
        raise InvalidInput("the page of the log does not exist")
    since = 0
    if asked["since"]:
        try:
            since = parse_time(asked["since"])
        except ValueError as error:
            raise InvalidInput("`since` must be a time like 2026-01-31T12:00") from error
    log = call.services.security.audit
    wanted = AuditFilter(
        actor=asked["actor"], operation=asked["operation"], target=asked["target"], since=since
    )
    check = await log.check(call.shop) if call.query.get("check") == "1" else None
    return Audit(asked, await log.search(call.shop, wanted, cursor, LISTED), check)


async def put_account(call: PageCall) -> Response:
    """Make an account, or change its roles, password or state."""
    name, form = call.form.get("name", "").strip(), call.form
    state = form.get("disabled")
    request = AccountRequest(
        roles=[form["role"]] if form.get("role") else None,
        password=form.get("password") or None,
        disabled=None if state is None else state == "1",
    )
    await Administration(call.services.security).put_account(call.caller, name, request)
    return call.go(HOME, said=f"The account {name} is kept.")


async def put_role(call: PageCall) -> Response:
    """Make or change a role of the shop's own."""
    name = call.form.get("name", "").strip()
    scopes = [scope for scope in SCOPES if call.form.get(f"scope_{scope}")]
    request = RoleRequest(scopes=scopes)
    await Administration(call.services.security).put_role(call.caller, name, request)
    return call.go(HOME, said=f"The role {name} is kept.")


async def remove_role(call: PageCall) -> Response:
    """Take out a role that nobody has."""
    name = call.form.get("name", "")
    await Administration(call.services.security).remove_role(call.caller, name)
    return call.go(HOME, said=f"The role {name} is gone.")


async def make_key(call: PageCall) -> None:
    """Make a key; the page that follows shows it this once."""
    origins = [one.strip() for one in call.form.get("origins", "").split(",") if one.strip()]
    request = KeyRequest(
        kind=call.form.get("kind", ""),
        title=call.form.get("title", "").strip(),
        scopes=[scope for scope in SCOPES if call.form.get(f"scope_{scope}")],
        origins=origins,
    )
    made = await Administration(call.services.security).make_key(call.caller, request)
    call.shown_once = made.key or ""


async def remove_key(call: PageCall) -> Response:
    """Take a key out; whoever uses it is refused at once."""
    name = call.form.get("id", "")
    if not name:
        problem = FieldProblem("/id", "missing", "name the key")
        raise InvalidInput("there is no key to take out", [problem])
    directory = call.services.security.directory
    await directory.remove(call.shop, Key, name, call.caller.audited_as)
    return call.go(HOME, said="The key does not work any more.")


PAGES = (
    Page(
        id="settings",
        path="/settings",
        title="Settings",
        template="settings.html",
        data=settings,
        scope="accounts:admin",
        group="Operate",
        place=20,
    ),
    Page(
        id="audit",
        path="/audit",
        title="Audit log",
        template="audit.html",
        data=audit,
        scope="accounts:admin",
        group="Operate",
        place=30,
    ),
)


def _action(name: str, act: object) -> Action:
    return Action(
        id=name,
        path=f"/settings/{name}",
        act=act,  # type: ignore[arg-type]
        scope="accounts:admin",
        page="settings",
    )


ACTIONS = (
    _action("account", put_account),
    _action("role", put_role),
    _action("role-out", remove_role),
    _action("key", make_key),
    _action("key-out", remove_key),
)
