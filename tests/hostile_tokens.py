"""Tokens that must never be accepted: each a name and how it is made from what is right.

A case is `name -> token`. `Forge` holds the right header, claims and key, and everything an
attacker may have beside it: the public key, keys of its own, tokens of other kinds.
"""

import base64
import hashlib
import hmac
import json

from joserfc import jwe, jwk, jwt

ISSUER = "https://reco.example.com"
NOW = 1_800_000_000


def b64(content):
    if isinstance(content, dict | list | str):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Forge:
    """The makings of a right token."""

    def __init__(self, private, issuer=ISSUER, now=NOW, **claims):
        self.key = jwk.ECKey.import_key(dict(private))
        self.public = self.key.as_dict(private=False)
        self.header = {"alg": "ES256", "typ": "at+jwt", "kid": private["kid"]}
        self.claims = {
            "iss": issuer,
            "aud": issuer,
            "sub": "cl_1",
            "client_id": "cl_1",
            "jti": "t-1",
            "iat": now,
            "exp": now + 600,
            "scope": "catalogue:read",
            **claims,
        }
        self.now = now
        self.other = jwk.ECKey.generate_key("P-256", {"kid": private["kid"]}, private=True)

    def sign(self, header=(), claims=(), without=(), key=None):
        """Signed by the right key unless another is given."""
        head = {**self.header, **dict(header)}
        body = {k: v for k, v in {**self.claims, **dict(claims)}.items() if k not in without}
        return self.raw(json.dumps(head), json.dumps(body), key)

    def raw(self, head, body, key=None):
        """Any text as header and claims, signed by ES256 all the same."""
        signed = f"{b64(head)}.{b64(body)}"
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        private = (key or self.key).private_key
        r, s = decode_dss_signature(private.sign(signed.encode(), ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def mac(self, secret, algorithm="HS256"):
        """Signed by HMAC with something public."""
        signed = f"{b64({**self.header, 'alg': algorithm})}.{b64(self.claims)}"
        digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
        return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest[algorithm]).digest())}"


def hostile(forge):
    """Every case by name."""
    cases = {}
    for kind in (_signatures, _keys, _kinds, _claims, _texts):
        cases.update(kind(forge))
    return cases


def _signatures(f):
    good = f.sign()
    head, body, signature = good.split(".")
    pem = f.key.as_pem(private=False)
    cases = {}
    # No signature, or one by something that is not a secret.
    for none in ("none", "None", "NONE", "nOnE", ""):
        unsigned = f"{b64({**f.header, 'alg': none})}.{body}"
        cases[f"alg {none!r}, no signature"] = f"{unsigned}."
        cases[f"alg {none!r}, the old signature"] = f"{unsigned}.{signature}"
    cases["no signature"] = f"{head}.{body}."
    for algorithm in ("HS256", "HS384", "HS512"):
        cases[f"{algorithm} with the public key's PEM"] = f.mac(pem, algorithm)
        cases[f"{algorithm} with the public JWK"] = f.mac(json.dumps(f.public).encode(), algorithm)
    cases["HS256 with nothing"] = f.mac(b"")
    cases["another key, our kid"] = f.sign(key=f.other)
    cases["signature of another token"] = f"{head}.{b64({**f.claims, 'scope': 'x'})}.{signature}"
    cases["signature cut"] = good[:-4]
    cases["signature of zeros"] = f"{head}.{body}.{b64(bytes(64))}"
    cases["signature as DER"] = f"{head}.{body}.{b64(bytes([0x30, 6, 2, 1, 0, 2, 1, 0]))}"
    return cases


def _keys(f):
    """Keys and critical headers that the token brings."""
    cases = {}
    mine = f.other.as_dict(private=False)
    cases["own key in jwk"] = f.sign({"jwk": mine}, key=f.other)
    cases["right key in jwk"] = f.sign({"jwk": f.public})
    cases["own key in jku"] = f.sign({"jku": "https://evil.example/jwks"}, key=f.other)
    cases["right key with a jku"] = f.sign({"jku": "https://evil.example/jwks"})
    cases["x5u"] = f.sign({"x5u": "https://evil.example/cert"})
    cases["x5c"] = f.sign({"x5c": ["MIIB"]})
    cases["crit unknown"] = f.sign({"crit": ["exp2"], "exp2": 1})
    cases["crit b64"] = f.sign({"crit": ["b64"], "b64": False})
    cases["b64 false"] = f.sign({"b64": False})
    cases["crit empty"] = f.sign({"crit": []})
    cases["zip"] = f.sign({"zip": "DEF"})
    for kid in ("../../dev/null", "' OR 1=1 --", "", "x" * 5_000, "unknown"):
        cases[f"kid {kid[:12]!r}"] = f.sign({"kid": kid})
    for kid in (None, 1, ["a"], {"a": 1}):
        cases[f"kid {kid!r}"] = f.sign({"kid": kid})
    for algorithm in ("ES384", "RS256", "EdDSA", "PS256", None, 5, ["ES256"]):
        cases[f"alg {algorithm!r}"] = f.sign({"alg": algorithm})
    return cases


def _kinds(f):
    """Other kinds of token."""
    good = f.sign()
    cases = {}
    for typ in ("JWT", "jwt", "AT+JWT", "at+jwt ", "id+jwt", "logout+jwt", "", None, 1):
        cases[f"typ {typ!r}"] = f.sign({"typ": typ})
    cases["no typ"] = f.raw(
        json.dumps({k: v for k, v in f.header.items() if k != "typ"}), json.dumps(f.claims)
    )
    symmetric = jwk.OctKey.generate_key(256)
    cases["JWE"] = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"{}", symmetric)
    cases["JWE PBES2 with a costly p2c"] = (
        b64({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31, "p2s": "AA"}) + ".a.b.c.d"
    )
    cases["p2c in a JWS"] = f.sign({"p2c": 2**31})
    cases["token in a token"] = f.raw(json.dumps(f.header), json.dumps(good))
    return cases


def _claims(f):
    now, cases = f.now, {}
    for name in ("iss", "aud", "exp", "iat", "sub", "client_id", "jti"):
        cases[f"no {name}"] = f.sign(without=[name])
        cases[f"{name} null"] = f.sign(claims={name: None})
    for name in ("exp", "iat", "nbf"):
        for value in (str(now + 300), now + 300.5, True, -1, 2**63, [now], {"a": 1}):
            cases[f"{name} {value!r}"] = f.sign(claims={name: value})
        for text in ("NaN", "Infinity", "-Infinity", "1e400"):
            claims = json.dumps({**f.claims, name: 12345}).replace("12345", text)
            cases[f"{name} {text}"] = f.raw(json.dumps(f.header), claims)
    cases["expired"] = f.sign(claims={"iat": now - 900, "exp": now - 300})
    cases["expired at the leeway"] = f.sign(claims={"iat": now - 630, "exp": now - 30})
    cases["from the future"] = f.sign(claims={"iat": now + 300, "exp": now + 600})
    cases["not yet"] = f.sign(claims={"nbf": now + 300})
    cases["lives ten years"] = f.sign(claims={"exp": now + 315_360_000})
    cases["ends before it begins"] = f.sign(claims={"iat": now + 20, "exp": now + 10})
    for issuer in ("https://evil.example", ISSUER + "/", ISSUER.upper(), "", [ISSUER]):
        cases[f"iss {issuer!r}"] = f.sign(claims={"iss": issuer})
    for audience in ("https://other.example", [], [1], {"a": 1}, [ISSUER, 1], "", ISSUER + " x"):
        cases[f"aud {audience!r}"] = f.sign(claims={"aud": audience})
    for name in ("sub", "client_id", "jti"):
        for value in ("", 7, ["a"], {"a": 1}, "x" * 5_000, "a\u0000b"):
            cases[f"{name} {str(value)[:10]!r}"] = f.sign(claims={name: value})
    cases["scope as a list"] = f.sign(claims={"scope": ["catalogue:read"]})
    cases["scope as a number"] = f.sign(claims={"scope": 1})
    return cases


def _texts(f):
    """Text that is not quite JSON or base64url."""
    good = f.sign()
    head, body, signature = good.split(".")
    cases = {}
    double = json.dumps(f.claims)[:-1] + ', "sub": "admin"}'
    cases["a claim twice"] = f.raw(json.dumps(f.header), double)
    cases["a header twice"] = f.raw(json.dumps(f.header)[:-1] + ', "alg": "none"}', body)
    cases["claims are a list"] = f.raw(json.dumps(f.header), "[1]")
    cases["claims are null"] = f.raw(json.dumps(f.header), "null")
    cases["claims nested deeply"] = f.raw(json.dumps(f.header), "[" * 3_000 + "]" * 3_000)
    cases["claims not UTF-8"] = f"{head}.{b64(bytes([0xFF, 0xFE]))}.{signature}"
    cases["padding"] = good + "="
    cases["white space"] = good.replace(".", ". ", 1)
    cases["newline"] = good + "\n"
    cases["standard base64 letters"] = good.replace("-", "+").replace("_", "/") + "+"
    cases["loose last bits"] = head + "." + body + "." + signature[:-1] + _next(signature[-1])
    cases["two parts"] = f"{head}.{body}"
    cases["four parts"] = f"{good}.{signature}"
    cases["empty"] = ""
    cases["dots"] = ".."
    cases["not ASCII"] = good + "\u00e9"
    cases["huge"] = f.sign(claims={"pad": "x" * 20_000})
    cases["a megabyte"] = "a." * 500_000
    return cases


def _next(letter):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(letter) ^ 1]


def library_token(private, claims):
    """A right token as the library makes it, for comparison."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": private["kid"]}
    return jwt.encode(header, claims, jwk.ECKey.import_key(dict(private)), ["ES256"])
