"""Accounts, clients, keys and roles."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.access import ROLES
from endcap.core.access_requests import (
    AccountRequest,
    AccountView,
    ClientRequest,
    ClientView,
    KeyRequest,
    KeyView,
    RoleRequest,
    VisitorToken,
)
from endcap.core.accounts import Account, Client, Key, Role
from endcap.core.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.services.administration import (
    Administration,
    account_view,
    client_view,
    key_view,
)
from endcap.web.call import Call, answer
from endcap.web.operations import Operation, Parameter

CHANGED = (
    MalformedBody,
    InvalidInput,
    BodyTooLarge,
    NotFound,
    VersionConflict,
    Forbidden,
    StoreUnavailable,
)
NO_STORE = {"cache-control": "no-store"}
ID = Parameter("id", "Its id.", place="path")
NAME = Parameter("name", "Its name.", place="path")
LIMIT = 65_536


class VisitorTokenRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """For whom a token is, and for how many seconds."""

    visitor: str
    seconds: int = 3_600


def _admin(call: Call) -> Administration:
    return Administration(call.services.security)


async def list_keys(call: Call) -> Response:
    """Every key, without what would let one use it."""
    return answer([key_view(k) for k in call.services.security.directory.all(call.shop, Key)])


async def post_key(call: Call) -> Response:
    """Make a key."""
    request = await call.decoded(KeyRequest, LIMIT)
    return _secret(answer(await _admin(call).make_key(call.caller, request), 201))


async def delete_key(call: Call) -> Response:
    """Take a key out."""
    name = call.tail("/v1/keys/")
    directory = call.services.security.directory
    await directory.remove(call.shop, Key, name, call.caller.audited_as)
    return Response(status_code=204)


async def list_clients(call: Call) -> Response:
    """Every client."""
    found = call.services.security.directory.all(call.shop, Client)
    return answer([client_view(client) for client in found])


async def post_client(call: Call) -> Response:
    """Make a client."""
    request = await call.decoded(ClientRequest, LIMIT)
    return _secret(answer(await _admin(call).make_client(call.caller, request), 201))


async def post_client_secret(call: Call) -> Response:
    """Give a client another secret."""
    name = call.request.path_params["id"]
    return _secret(answer(await _admin(call).renew_secret(call.caller, name), 201))


async def delete_client(call: Call) -> Response:
    """Take a client out; its tokens stop at once."""
    name = call.tail("/v1/clients/")
    directory = call.services.security.directory
    await directory.remove(call.shop, Client, name, call.caller.audited_as)
    return Response(status_code=204)


async def list_accounts(call: Call) -> Response:
    """Every account."""
    found = call.services.security.directory.all(call.shop, Account)
    return answer([account_view(account) for account in found])


async def put_account(call: Call) -> Response:
    """Make or change an account."""
    request = await call.decoded(AccountRequest, LIMIT)
    name = call.tail("/v1/accounts/")
    return answer(await _admin(call).put_account(call.caller, name, request))


async def delete_account(call: Call) -> Response:
    """Take an account out; its sessions and tokens stop at once."""
    name = call.tail("/v1/accounts/")
    directory = call.services.security.directory
    await directory.remove(call.shop, Account, name, call.caller.audited_as)
    return Response(status_code=204)


async def list_roles(call: Call) -> Response:
    """The built-in roles and the shop's own."""
    built_in = [Role(name=name, scopes=tuple(sorted(scopes))) for name, scopes in ROLES.items()]
    return answer([*built_in, *call.services.security.directory.all(call.shop, Role)])


async def put_role(call: Call) -> Response:
    """Make or change a role."""
    request = await call.decoded(RoleRequest, LIMIT)
    return answer(await _admin(call).put_role(call.caller, call.tail("/v1/roles/"), request))


async def delete_role(call: Call) -> Response:
    """Take a role out."""
    await _admin(call).remove_role(call.caller, call.tail("/v1/roles/"))
    return Response(status_code=204)


async def post_visitor_token(call: Call) -> Response:
    """Sign who a visitor is."""
    request = await call.decoded(VisitorTokenRequest, LIMIT)
    token = _admin(call).visitor_token(call.caller, request.visitor, request.seconds)
    return _secret(answer(token, 201))


async def rotate_signing_key(call: Call) -> Response:
    """Announce the next key that signs access tokens."""
    kid = await call.services.security.keyring.rotate()
    return answer({"announced": kid}, 201)


def _secret(response: Response) -> Response:
    response.headers.update(NO_STORE)
    return response


def _operation(**fields: Any) -> Operation:
    return Operation(**{"scope": "accounts:admin", "tag": "Accounts", **fields})


OPERATIONS = (
    _operation(
        id="list_keys",
        method="GET",
        path="/v1/keys",
        handler=list_keys,
        about="Every key of the shop. Keys themselves are never shown again.",
        answer=list[KeyView],
    ),
    _operation(
        id="post_key",
        method="POST",
        path="/v1/keys",
        handler=post_key,
        about="Make a key; `key` is in this answer only. Secret keys (`rk_sec_…`) are for servers; "
        "publishable ones (`rk_pub_…`) for browsers: they send events and ask for "
        "recommendations, from their origins only.",
        body=KeyRequest,
        body_example={"title": "shop server", "scopes": ["events:write", "recommendations:read"]},
        answer=KeyView,
        status=201,
        errors=CHANGED,
    ),
    _operation(
        id="delete_key",
        method="DELETE",
        path="/v1/keys/{id}",
        handler=delete_key,
        about="Take a key out; it counts for nothing from now on.",
        parameters=(ID,),
        status=204,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="list_clients",
        method="GET",
        path="/v1/clients",
        handler=list_clients,
        about="Every OAuth client of the shop.",
        answer=list[ClientView],
    ),
    _operation(
        id="post_client",
        method="POST",
        path="/v1/clients",
        handler=post_client,
        about="Make an OAuth client; `client_secret` is in this answer only. With `jwks` it signs "
        "its requests with its own key instead (private_key_jwt).",
        body=ClientRequest,
        body_example={"title": "warehouse", "scopes": ["catalogue:write"]},
        answer=ClientView,
        status=201,
        errors=CHANGED,
    ),
    _operation(
        id="post_client_secret",
        method="POST",
        path="/v1/clients/{id}/secrets",
        handler=post_client_secret,
        about="A new secret; the one before stays good until the next is made.",
        parameters=(ID,),
        answer=ClientView,
        status=201,
        errors=(InvalidInput, NotFound, VersionConflict, StoreUnavailable),
    ),
    _operation(
        id="delete_client",
        method="DELETE",
        path="/v1/clients/{id}",
        handler=delete_client,
        about="Take a client out; its tokens stop at once.",
        parameters=(ID,),
        status=204,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="list_accounts",
        method="GET",
        path="/v1/accounts",
        handler=list_accounts,
        about="The people who can sign in.",
        answer=list[AccountView],
    ),
    _operation(
        id="put_account",
        method="PUT",
        path="/v1/accounts/{name}",
        handler=put_account,
        about="Make or change an account. A change ends its sessions and tokens.",
        parameters=(NAME,),
        body=AccountRequest,
        body_example={"roles": ["merchandiser"], "password": "plenty of words here 7"},
        answer=AccountView,
        errors=CHANGED,
    ),
    _operation(
        id="delete_account",
        method="DELETE",
        path="/v1/accounts/{name}",
        handler=delete_account,
        about="Take an account out; its sessions and tokens stop at once.",
        parameters=(NAME,),
        status=204,
        errors=(NotFound, StoreUnavailable),
    ),
    _operation(
        id="list_roles",
        method="GET",
        path="/v1/roles",
        handler=list_roles,
        about="The built-in roles and the shop's own, with their scopes.",
        answer=list[Role],
    ),
    _operation(
        id="put_role",
        method="PUT",
        path="/v1/roles/{name}",
        handler=put_role,
        about="Make or change a role of the shop's own.",
        parameters=(NAME,),
        body=RoleRequest,
        body_example={"scopes": ["catalogue:read", "reports:read"]},
        answer=Role,
        errors=CHANGED,
    ),
    _operation(
        id="delete_role",
        method="DELETE",
        path="/v1/roles/{name}",
        handler=delete_role,
        about="Take out a role that no account has any more.",
        parameters=(NAME,),
        status=204,
        errors=(NotFound, VersionConflict, StoreUnavailable),
    ),
    _operation(
        id="rotate_signing_key",
        method="POST",
        path="/v1/signing-keys:rotate",
        handler=rotate_signing_key,
        about="Announce a new signing key in the JWKS; it signs after ten minutes, and the one "
        "before verifies until its tokens have expired. Happens by itself every 30 days.",
        answer=dict[str, str],
        status=201,
        errors=(VersionConflict, StoreUnavailable),
    ),
    _operation(
        id="post_visitor_token",
        method="POST",
        path="/v1/visitor-tokens",
        handler=post_visitor_token,
        scope="recommendations:read",
        about="A signed visitor token, which a page sends as `X-Visitor-Token` beside its "
        "publishable key. For the shop's server only.",
        body=VisitorTokenRequest,
        body_example={"visitor": "v-42", "seconds": 3600},
        answer=VisitorToken,
        status=201,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, Forbidden),
    ),
)
