"""The one verifier: right tokens pass, and none of the hostile ones does."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import endcap
from endcap.access.signing import imported_keys, new_signing_key, signed, verification_key
from endcap.access.verify import Expected, verify_access_token
from endcap.core.errors import InvalidToken
from hostile_tokens import ISSUER, NOW, Forge, hostile, library_token

KEY = new_signing_key(0, 0)
FORGE = Forge(KEY.private)
EXPECTED = Expected(issuer=ISSUER, audience=ISSUER, keys={KEY.kid: verification_key(KEY)})
CASES = hostile(FORGE)


def test_the_right_token_passes_however_it_is_made():
    ours = signed(FORGE.claims, KEY)
    for token in (FORGE.sign(), library_token(KEY.private, FORGE.claims), ours):
        claims = verify_access_token(token, EXPECTED, NOW)
        assert (claims.subject, claims.scopes) == ("cl_1", {"catalogue:read"})
    listed = FORGE.sign(claims={"aud": ["x", ISSUER], "nbf": NOW, "iat": NOW + 30, "more": [1]})
    assert verify_access_token(listed, EXPECTED, NOW).expires == NOW + 600
    assert verify_access_token(FORGE.sign(), EXPECTED, NOW + 629)


def test_the_corpus_is_large():
    assert len(CASES) >= 120
    assert len(set(CASES.values())) >= len(CASES) - 1


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_token_is_refused(name):
    with pytest.raises(InvalidToken) as refused:
        verify_access_token(CASES[name], EXPECTED, NOW)
    assert "cl_1" not in refused.value.detail


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_changed_byte_passes(data):
    token = FORGE.sign()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(min_codepoint=1, max_codepoint=0x2FF))
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(InvalidToken):
            verify_access_token(changed, EXPECTED, NOW)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_no_text_makes_it_fail_otherwise(text):
    with pytest.raises(InvalidToken):
        verify_access_token(text, EXPECTED, NOW)


def test_only_two_modules_know_a_token_library():
    source = Path(endcap.__file__).parent
    using = {}
    for file in source.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in ("joserfc", "jwt", "jose", "authlib", "jwcrypto"):
                    using.setdefault(str(file.relative_to(source)), set()).add(name)
    assert sorted(using) == ["access/signing.py", "access/verify.py"]
    # Reading a token happens in the verifier alone.
    reading = [f for f in source.rglob("*.py") if "deserialize" in f.read_text("utf-8")]
    assert [str(f.relative_to(source)) for f in reading] == ["access/verify.py"]
    assert "jwt.decode" not in (source / "access/signing.py").read_text("utf-8")


def test_keys_of_an_issuer_that_cannot_verify_are_left_out():
    public = FORGE.public
    jwks = [
        {**public, "kid": "a"},
        {**public, "kid": "b", "use": "enc"},
        {**public},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "c"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "d"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "e"},
        7,
    ]
    import json

    found = imported_keys(json.dumps({"keys": jwks}).encode())
    assert set(found) == {"a", public["kid"]}
