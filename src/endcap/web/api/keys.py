"""Keys, publishable and secret, with the visitor tokens and access tokens that keys sign."""

import msgspec
from starlette.responses import Response

from endcap.core.access_requests import KeyRequest, KeyView, VisitorToken
from endcap.core.accounts import Key
from endcap.core.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.services.administration import Administration, key_view
from endcap.web.call import Call, answer
from endcap.web.operations import maker

from .accounts import CHANGED, ID, LIMIT

_operation = maker(scope="accounts:admin", tag="Accounts")


class VisitorTokenRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """For whom a token is, and for how many seconds."""

    visitor: str
    seconds: int = 3_600


async def list_keys(call: Call) -> Response:
    """Every key, without what would let one use it."""
    return answer([key_view(k) for k in call.services.security.directory.all(call.shop, Key)])


async def post_key(call: Call) -> Response:
    """Make a key."""
    request = await call.decoded(KeyRequest, LIMIT)
    return answer(await _admin(call).make_key(call.caller, request), 201, secret=True)


async def delete_key(call: Call) -> Response:
    """Take a key out."""
    name = call.tail("/v1/keys/")
    directory = call.services.security.directory
    await directory.remove(call.shop, Key, name, call.caller.audited_as)
    return Response(status_code=204)


async def post_visitor_token(call: Call) -> Response:
    """Sign who a visitor is."""
    request = await call.decoded(VisitorTokenRequest, LIMIT)
    token = _admin(call).visitor_token(call.caller, request.visitor, request.seconds)
    return answer(token, 201, secret=True)


async def rotate_signing_key(call: Call) -> Response:
    """Announce the next key that signs access tokens."""
    kid = await call.services.security.keyring.rotate()
    return answer({"announced": kid}, 201)


def _admin(call: Call) -> Administration:
    return Administration(call.services.security)


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
