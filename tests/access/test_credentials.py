"""Keys, links, passwords, sealed values and visitor tokens."""

import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.access import keys, links, passwords, sealing, visitor_tokens


def test_a_key_carries_its_own_checksum():
    made = [keys.new_key(kind) for kind in ("secret", "publishable") for _ in range(200)]
    assert len({m.text for m in made}) == 400
    for key in made:
        assert re.fullmatch(r"rk_(sec|pub)_[A-Za-z0-9_-]{65}", key.text)
        assert keys.is_key(key.text)
        assert key.id in key.text
        for place in (0, 8, 30, 70):
            other = "a" if key.text[place] != "a" else "b"
            assert not keys.is_key(key.text[:place] + other + key.text[place + 1 :])
    assert made[0].digest == hashlib.sha256(made[0].text.encode()).hexdigest()


@given(st.text(max_size=90))
def test_other_text_is_no_key(text):
    assert not keys.is_key(text)


def test_the_challenge_is_that_of_the_standard():
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert keys.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_link_is_good_until_its_time_and_with_its_secret():
    text = links.new_link(b"s" * 32, "default", "admin", 1_000)
    link = links.read_link(b"s" * 32, text, 999)
    assert (link.shop, link.account) == ("default", "admin")
    assert links.read_link(b"s" * 32, text, 1_000) is None
    assert links.read_link(b"t" * 32, text, 999) is None
    for place in range(0, len(text) - 1, 7):
        bad = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert links.read_link(b"s" * 32, bad, 999) is None
    for bad in ("", ".", "a.b", "\u00e9.x", "A" * 3_000):
        assert links.read_link(b"s" * 32, bad, 999) is None


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1234",
        "Password123!",
        "aaaaaaaaaaaaaaaa",
        "iloveyou2024",
        "ana-is-the-best",
        "x" * 201,
    ],
)
def test_a_weak_password_is_refused(password):
    assert passwords.password_problem(password, ("ana-is",)) is not None


def test_a_good_password_is_taken_and_recognised():
    password = "seven grey herons wade"
    assert passwords.password_problem(password, ("ana",)) is None
    hashed = passwords.hashed(password)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(hashed, password)
    assert not passwords.matches(hashed, password + " ")
    assert not passwords.matches("nonsense", password)


def test_the_list_of_common_passwords_is_long():
    assert len(passwords._common()) >= 3_000


def test_what_is_sealed_opens_with_secret_purpose_and_name_only():
    sealer = sealing.Sealer(b"s" * 32, "test")
    sealed = sealer.seal(b"canary", "name")
    assert b"canary" not in sealed
    assert sealer.seal(b"canary", "name") != sealed
    assert sealer.open(sealed, "name") == b"canary"
    for other, about in (
        (sealer, "other"),
        (sealing.Sealer(b"t" * 32, "test"), "name"),
        (sealing.Sealer(b"s" * 32, "else"), "name"),
    ):
        with pytest.raises(ValueError, match="another secret"):
            other.open(sealed, about)
    for damaged in (b"", sealed[:5], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(ValueError, match="another secret"):
            sealer.open(damaged, "name")


def test_a_visitor_token_can_be_made_from_the_secret_key_alone():
    key = keys.new_key("secret")
    # As docs/security.md tells shops to make one.
    mac_key = hashlib.sha256(key.text.encode()).hexdigest().encode()
    mac = hmac.new(mac_key, b"visitor:v1\nv-42\n1600", "sha256").digest()
    token = visitor_tokens.new_visitor_token(key.digest, "v-42", 1_600)
    import base64

    assert token.split(".")[2] == base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    assert visitor_tokens.visitor_of(token, [key.digest], 1_000) == "v-42"
    assert visitor_tokens.visitor_of(token, [key.digest], 1_600) is None
    assert visitor_tokens.visitor_of(token, ["0" * 64], 1_000) is None
    far = visitor_tokens.new_visitor_token(key.digest, "v-42", 1_000_000)
    assert visitor_tokens.visitor_of(far, [key.digest], 1_000) is None
    for bad in ("", "a.b", "a.b.c", token + "x", "x" + token, token.replace("1600", "1601")):
        assert visitor_tokens.visitor_of(bad, [key.digest], 1_000) is None
