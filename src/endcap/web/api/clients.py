"""OAuth clients and their secrets."""

from starlette.responses import Response

from endcap.core.access_requests import ClientRequest, ClientView
from endcap.core.accounts import Client
from endcap.core.errors import InvalidInput, NotFound, StoreUnavailable, VersionConflict
from endcap.services.administration import Administration, client_view
from endcap.web.call import Call, answer
from endcap.web.operations import maker

from .accounts import CHANGED, ID, LIMIT

_operation = maker(scope="accounts:admin", tag="Accounts")


async def list_clients(call: Call) -> Response:
    """Every client."""
    found = call.services.security.directory.all(call.shop, Client)
    return answer([client_view(client) for client in found])


async def post_client(call: Call) -> Response:
    """Make a client."""
    request = await call.decoded(ClientRequest, LIMIT)
    return answer(await _admin(call).make_client(call.caller, request), 201, secret=True)


async def post_client_secret(call: Call) -> Response:
    """Give a client another secret."""
    name = call.request.path_params["id"]
    return answer(await _admin(call).renew_secret(call.caller, name), 201, secret=True)


async def delete_client(call: Call) -> Response:
    """Take a client out; its tokens stop at once."""
    name = call.tail("/v1/clients/")
    directory = call.services.security.directory
    await directory.remove(call.shop, Client, name, call.caller.audited_as)
    return Response(status_code=204)


def _admin(call: Call) -> Administration:
    return Administration(call.services.security)


OPERATIONS = (
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
)
