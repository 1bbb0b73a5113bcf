"""OAuth 2.0: tokens, their revocation and introspection, keys, and what the server can do."""

import base64
import binascii
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from starlette.responses import Response

from endcap.core.access import SCOPES
from endcap.core.errors import EndcapError, InvalidInput, TooManyRequests
from endcap.services.grants import OAuthError, TokenAnswer
from endcap.web.auth.addresses import address_of
from endcap.web.auth.pagecalls import read_form
from endcap.web.call import JSON, Call, answer
from endcap.web.operations import OPEN, Operation

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address
FORM = "application/x-www-form-urlencoded"
CLIENT_FIELDS = {
    "client_id": {"type": "string"},
    "client_secret": {"type": "string"},
    "client_assertion_type": {"type": "string"},
    "client_assertion": {"type": "string"},
}


class OAuthProblem(msgspec.Struct, frozen=True):
    """An error as RFC 6749 (section 5.2) wants it."""

    error: str
    error_description: str


class Introspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What introspection answers (RFC 7662)."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    sub: str | None = None
    iss: str | None = None
    aud: str | None = None
    exp: int | None = None
    iat: int | None = None
    jti: str | None = None


async def post_token(call: Call) -> Response:
    """An access token for a grant."""
    try:
        form, basic = await _request(call)
        security = call.services.security
        endpoint = security.authority.issuer + TOKEN_PATH
        answered = await security.grants.token(form, basic, endpoint)
    except EndcapError as error:
        return _refused(error)
    response = answer(answered)
    response.headers.update(NO_STORE)
    return response


async def post_revoke(call: Call) -> Response:
    """End a token."""
    try:
        form, basic = await _request(call)
        security = call.services.security
        endpoint = security.authority.issuer + TOKEN_PATH
        _, client = await security.grants.client(form, basic, endpoint)
        await security.grants.revoke(client, form.get("token", ""))
    except EndcapError as error:
        return _refused(error)
    return Response(status_code=200, headers=NO_STORE)


async def post_introspect(call: Call) -> Response:
    """Whether a token is valid, and what it says; for a client with a secret, of its own shop."""
    try:
        form, basic = await _request(call)
        security = call.services.security
        endpoint = security.authority.issuer + TOKEN_PATH
        shop, client = await security.grants.client(form, basic, endpoint)
        if client.public:
            raise OAuthError("invalid_client", "introspection needs a client with a secret")
    except EndcapError as error:
        return _refused(error)
    claims = security.authority.claims(form.get("token", ""))
    found = Introspection(active=False)
    if claims is not None and claims.all.get("shop") == shop:
        found = Introspection(
            active=True,
            scope=" ".join(sorted(claims.scopes)),
            client_id=claims.client,
            sub=claims.subject,
            iss=claims.issuer,
            aud=security.authority.issuer,
            exp=claims.expires,
            iat=claims.issued,
            jti=claims.token_id,
        )
    response = answer(found)
    response.headers.update(NO_STORE)
    return response


async def get_jwks(call: Call) -> Response:
    """The public keys that verify our tokens."""
    response = answer(call.services.security.keyring.jwks())
    response.headers["cache-control"] = "public, max-age=300"
    return response


async def get_metadata(call: Call) -> Response:
    """What the authorization server can do (RFC 8414)."""
    issuer = call.services.security.authority.issuer
    methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    return answer(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": issuer + TOKEN_PATH,
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "scopes_supported": sorted(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": _SIGNING,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


_SIGNING = ["ES256", "ES384", "EdDSA", "RS256", "PS256"]


async def _request(call: Call) -> tuple[dict[str, str], tuple[str, str] | None]:
    """The form and the client's Basic credentials. Raises OAuthError or TooManyRequests."""
    security = call.services.security
    address = address_of(call.request, call.services.door.proxies)
    await security.addresses.take(f"oauth\0{address}")
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != FORM:
        raise OAuthError("invalid_request", f"the body must be {FORM}")
    form = await read_form(call.request)
    return form, _basic(call.request.headers.get("authorization", ""))


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise OAuthError("invalid_client", "the Basic credentials cannot be read") from error
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _refused(error: EndcapError) -> Response:
    code = error.error if isinstance(error, OAuthError) else "invalid_request"
    if isinstance(error, TooManyRequests) or error.status >= 500:
        code = "temporarily_unavailable"
    content = msgspec.json.encode(OAuthProblem(code, error.detail))
    status = 400 if isinstance(error, InvalidInput) else error.status
    headers = dict(NO_STORE)
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="endcap"'
    return Response(content, status, headers, JSON)


def _form(**fields: Any) -> dict[str, Any]:
    return {FORM: {"type": "object", "properties": {**fields, **CLIENT_FIELDS}}}


def _open(**fields: Any) -> Operation:
    return Operation(scope=OPEN, tag="OAuth", **fields)


_TEXT = {"type": "string"}
OPERATIONS = (
    _open(
        id="post_token",
        method="POST",
        path=TOKEN_PATH,
        handler=post_token,
        about="Get an access token (RFC 6749): client_credentials for programs, authorization_code "
        "with PKCE for tools that people sign in to, refresh_token. Errors are those of RFC 6749.",
        body=_form(
            grant_type={
                "type": "string",
                "enum": ["client_credentials", "authorization_code", "refresh_token"],
            },
            scope=_TEXT,
            code=_TEXT,
            code_verifier=_TEXT,
            redirect_uri=_TEXT,
            refresh_token=_TEXT,
        ),
        answer=TokenAnswer,
        errors=(OAuthError, TooManyRequests),
    ),
    _open(
        id="post_revoke",
        method="POST",
        path="/oauth/revoke",
        handler=post_revoke,
        about="End an access or refresh token of the calling client (RFC 7009).",
        body=_form(token=_TEXT, token_type_hint=_TEXT),
        errors=(OAuthError, TooManyRequests),
    ),
    _open(
        id="post_introspect",
        method="POST",
        path="/oauth/introspect",
        handler=post_introspect,
        about="Whether an access token is valid and what it says (RFC 7662).",
        body=_form(token=_TEXT, token_type_hint=_TEXT),
        answer=Introspection,
        errors=(OAuthError, TooManyRequests),
    ),
    _open(
        id="get_jwks",
        method="GET",
        path="/.well-known/jwks.json",
        handler=get_jwks,
        about="The public keys that verify access tokens (RFC 7517): next, current, previous.",
        answer=dict[str, Any],
    ),
    _open(
        id="get_oauth_metadata",
        method="GET",
        path="/.well-known/oauth-authorization-server",
        handler=get_metadata,
        about="What the authorization server can do (RFC 8414).",
        answer=dict[str, Any],
    ),
)
