"""Accounts of people, and the roles they have."""

from starlette.responses import Response

from endcap.core.access import ROLES
from endcap.core.access_requests import AccountRequest, AccountView, RoleRequest
from endcap.core.accounts import Account, Role
from endcap.core.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.services.administration import Administration, account_view
from endcap.web.call import Call, answer
from endcap.web.operations import Parameter, maker

CHANGED = (
    MalformedBody,
    InvalidInput,
    BodyTooLarge,
    NotFound,
    VersionConflict,
    Forbidden,
    StoreUnavailable,
)
ID = Parameter("id", "Its id.", place="path")
NAME = Parameter("name", "Its name.", place="path")
LIMIT = 65_536
_operation = maker(scope="accounts:admin", tag="Accounts")


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


def _admin(call: Call) -> Administration:
    return Administration(call.services.security)


OPERATIONS = (
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
)
