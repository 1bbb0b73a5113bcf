"""The one place where a JSON Web Token is read. Whatever is not exactly right is refused.

What is demanded follows RFC 8725 (best practice), RFC 9068 (access tokens) and RFC 7523 (client
assertions): the algorithm is the key's own, never the token's choice; the key is one of ours by
`kid`, never one that the token brings; times are integers; nothing occurs twice.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from endcap.core.errors import InvalidToken

MAX_BYTES = 8_192
MAX_TEXT = 200
LEEWAY = 30
PublicKey = ECKey | OKPKey | RSAKey
_BAD_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc", "p2c", "p2s"})
_NO_ALGORITHM = frozenset({"none", "HS256", "HS384", "HS512"})


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key with the only algorithm it is used with."""

    kid: str
    algorithm: str
    key: PublicKey


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a token must be. `typ` None takes any; times are seconds."""

    issuer: str
    audience: str
    keys: Mapping[str, VerificationKey]
    typ: frozenset[str] | None = frozenset({"at+jwt"})
    required: tuple[str, ...] = ("sub", "client_id", "jti")
    max_life: int = 900


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid token says; `all` has every claim."""

    issuer: str
    subject: str
    expires: int
    issued: int
    client: str
    token_id: str
    scopes: frozenset[str]
    all: dict[str, Any]


def verify_access_token(token: str, expected: Expected, now: int) -> Claims:
    """The claims of a token that is all that is expected; `now` in seconds.

    Raises InvalidToken, with a reason that holds nothing of the token.
    """
    if len(token) > MAX_BYTES or not token.isascii():
        _refuse("is too large or not ASCII")
    header, payload, key = _parts(token, expected)
    try:
        signed = jws.deserialize_compact(token, key.key, algorithms=[key.algorithm])
    except (JoseError, ValueError, TypeError):
        _refuse("is not signed by a key of the issuer")
    if signed.payload != payload:
        _refuse("cannot be read")
    if expected.typ is not None and header.get("typ") not in expected.typ:
        _refuse("is of another type")
    return _claims(_object(payload), expected, now)


def unverified_issuer(token: str) -> str:
    """The issuer a token names, only to choose whose keys to verify it with; empty if unreadable.

    Nothing else may be made of it before `verify_access_token` has passed.
    """
    if len(token) > MAX_BYTES or token.count(".") != 2:
        return ""
    try:
        issuer = _object(_decoded(token.split(".")[1])).get("iss")
    except InvalidToken:
        return ""
    return issuer if isinstance(issuer, str) else ""


def _parts(token: str, expected: Expected) -> tuple[dict[str, Any], bytes, VerificationKey]:
    if token.count(".") != 2:
        _refuse("is not a signed token of three parts")
    head, body, signature = token.split(".")
    header = _object(_decoded(head))
    _decoded(signature)
    if not _BAD_HEADERS.isdisjoint(header):
        _refuse("has a header that is not taken")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(kid, str) or algorithm in _NO_ALGORITHM:
        _refuse("names no key or no signature algorithm")
    key = expected.keys.get(kid)
    if key is None or key.algorithm != algorithm:
        _refuse("is not signed by a key of the issuer")
    return header, _decoded(body), key


def _claims(claims: dict[str, Any], expected: Expected, now: int) -> Claims:
    for name in ("iss", *expected.required):
        value = claims.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or not value.isprintable():
            _refuse(f"has no proper `{name}`")
    if claims["iss"] != expected.issuer:
        _refuse("is of another issuer")
    if not _is_for(claims.get("aud"), expected.audience):
        _refuse("is for another audience")
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires <= now - LEEWAY:
        _refuse("has expired")
    if issued > now + LEEWAY or ("nbf" in claims and _time(claims, "nbf") > now + LEEWAY):
        _refuse("is not valid yet")
    if not 0 < expires - issued <= expected.max_life:
        _refuse("lives longer than is allowed")
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        _refuse("has no proper `scope`")
    return Claims(
        issuer=claims["iss"],
        subject=claims.get("sub", ""),
        expires=expires,
        issued=issued,
        client=claims.get("client_id", ""),
        token_id=claims.get("jti", ""),
        scopes=frozenset(scope.split()),
        all=claims,
    )


def _is_for(audience: object, wanted: str) -> bool:
    if isinstance(audience, str):
        return audience == wanted
    if not isinstance(audience, list) or not all(isinstance(one, str) for one in audience):
        return False
    return wanted in audience


def _time(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    # A bool is an int to Python; a float or a string is not a time here.
    if type(value) is not int or not 0 <= value < 2**40:
        _refuse(f"has no proper `{name}`")
    return value


def _decoded(part: str) -> bytes:
    """Base64url, without padding and in its one canonical form."""
    try:
        content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        _refuse("is not base64url")
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        _refuse("is not base64url")
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        _refuse("cannot be read")
    if not isinstance(value, dict):
        _refuse("cannot be read")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse(reason: str) -> NoReturn:
    raise InvalidToken(f"the token {reason}")
