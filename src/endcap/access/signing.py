"""Signing access tokens: keys that are announced, used, and retired; what is kept is sealed."""

import json
import secrets
from typing import Any

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from endcap.core.errors import InvalidInput, InvalidToken

from .verify import PublicKey, VerificationKey

ALGORITHM = "ES256"
TYP = "at+jwt"
_PUBLIC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "Ed25519": "EdDSA"}


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key. It signs from `active_from` until the next one does; `private` is a JWK."""

    kid: str
    created_at: int
    active_from: int
    private: dict[str, str]


def new_signing_key(created_at: int, active_from: int) -> SigningKey:
    """A fresh P-256 key. Times are UTC milliseconds."""
    kid = secrets.token_urlsafe(12)
    key = jwk.ECKey.generate_key("P-256", {"kid": kid}, private=True)
    private = {name: str(value) for name, value in key.as_dict(private=True).items()}
    return SigningKey(kid=kid, created_at=created_at, active_from=active_from, private=private)


def public_jwk(key: SigningKey) -> dict[str, str]:
    """The key as JWKS shows it."""
    public = {n: v for n, v in key.private.items() if n in ("kty", "crv", "x", "y")}
    return {**public, "kid": key.kid, "alg": ALGORITHM, "use": "sig"}


def verification_key(key: SigningKey) -> VerificationKey:
    """The public half, for the verifier."""
    return VerificationKey(key.kid, ALGORITHM, jwk.ECKey.import_key(dict(public_jwk(key))))


def signed(claims: dict[str, Any], key: SigningKey, typ: str = TYP) -> str:
    """The claims as a token."""
    header = {"alg": ALGORITHM, "typ": typ, "kid": key.kid}
    return jwt.encode(header, claims, jwk.ECKey.import_key(dict(key.private)), [ALGORITHM])


def imported_keys(jwks: bytes) -> dict[str, VerificationKey]:
    """The signature keys of a JWKS document, by kid; what cannot verify a signature is left out.

    RSA is taken from 2,048 bits. Raises InvalidInput when it is no JWKS.
    """
    try:
        listed = json.loads(jwks)["keys"]
        entries = [entry for entry in listed if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput("this is no JWKS document") from error
    found = (_imported(entry) for entry in entries)
    return {key.kid: key for key in found if key is not None}


def _imported(entry: dict[str, Any]) -> VerificationKey | None:
    public = {n: v for n, v in entry.items() if n in ("kty", "crv", "x", "y", "n", "e")}
    kid, use = entry.get("kid"), entry.get("use", "sig")
    if not isinstance(kid, str) or use != "sig":
        return None
    try:
        key: PublicKey
        if public.get("kty") == "RSA":
            key = jwk.RSAKey.import_key(public)
            if key.public_key.key_size < 2048:
                return None
            algorithm = entry.get("alg", "RS256")
            return VerificationKey(kid, algorithm, key) if algorithm in _RSA else None
        algorithm = _PUBLIC_ALGORITHMS.get(str(public.get("crv")), "")
        if not algorithm:
            return None
        kind = jwk.OKPKey if public.get("kty") == "OKP" else jwk.ECKey
        return VerificationKey(kid, algorithm, kind.import_key(public))
    except (JoseError, ValueError, TypeError, KeyError, InvalidToken):
        return None


_RSA = frozenset({"RS256", "PS256", "RS384", "PS384", "RS512", "PS512"})
