"""Tokens of an identity provider: taken when they are its own and say what they must."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from door import open_door
from endcap.access.signing import new_signing_key, public_jwk, signed
from endcap.core.accounts import Account
from endcap.core.errors import InvalidToken


class Provider(BaseHTTPRequestHandler):
    """The two documents that a provider publishes."""

    def do_GET(self):
        server = self.server
        self.server.asked += 1
        if self.path == "/.well-known/openid-configuration":
            content = {"issuer": server.named, "jwks_uri": server.url + "/jwks"}
        elif self.path == "/jwks":
            content = {"keys": [public_jwk(key) for key in server.keys]}
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    server = HTTPServer(("127.0.0.1", 0), Provider)
    server.url = server.named = f"http://127.0.0.1:{server.server_port}"
    server.keys, server.asked = [new_signing_key(0, 0)], 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Clock:
    moved = 0

    def __call__(self):
        return time.time_ns() // 1_000_000 + self.moved


def opened(tmp_path, provider, clock):
    return open_door(
        tmp_path,
        clock=clock,
        auth="required",
        oidc_issuer=provider.url,
        oidc_audience="endcap",
        oidc_claim="realm_access.roles",
        oidc_roles="buyers=merchandiser",
    )


def token(provider, clock, key=None, typ="at+jwt", **changes):
    now = clock() // 1_000
    claims = {
        "iss": provider.url,
        "aud": ["endcap", "other"],
        "sub": "u-1",
        "iat": now,
        "exp": now + 300,
        "realm_access": {"roles": ["buyers", "unheard of"]},
        **changes,
    }
    return signed(claims, key or provider.keys[-1], typ)


def status(door, path, text):
    return door.call("GET", path, headers=[("authorization", f"Bearer {text}")]).status


def test_its_tokens_are_taken_with_the_roles_they_name(tmp_path, provider):
    clock = Clock()
    with opened(tmp_path, provider, clock) as door:
        mine = token(provider, clock)
        assert status(door, "/v1/products", mine) == 200
        assert status(door, "/v1/keys", mine) == 403
        admin = token(provider, clock, realm_access={"roles": ["admin"]})
        assert status(door, "/v1/keys", admin) == 200
        for roles in ([], ["unheard of"], "viewer admin-of-else", {"admin": 1}, None, [1]):
            none = token(provider, clock, realm_access={"roles": roles})
            assert status(door, "/v1/keys", none) == 403
        bad = [
            {"aud": "other"},
            {"iss": provider.url + "/"},
            {"exp": clock() // 1_000 - 60},
            {"sub": None},
            {"exp": "soon"},
        ]
        for changes in bad:
            assert status(door, "/v1/products", token(provider, clock, **changes)) == 401
        # What signs people in at a page is no access token.
        assert status(door, "/v1/products", token(provider, clock, typ="JWT")) == 401
        foreign = token(provider, clock, key=new_signing_key(0, 0))
        assert status(door, "/v1/products", foreign) == 401


def test_a_new_key_is_fetched_but_not_for_every_stranger(tmp_path, provider):
    clock = Clock()
    with opened(tmp_path, provider, clock) as door:
        external = door.installation.security.authority.external
        provider.keys.append(new_signing_key(0, 0))
        fresh = token(provider, clock)
        assert status(door, "/v1/products", fresh) == 401
        for _ in range(50):
            stranger = token(provider, clock, key=new_signing_key(0, 0))
            assert status(door, "/v1/products", stranger) == 401
            door.run(external.tend())
        assert external.fetches == 1
        clock.moved += 60_000
        door.run(external.tend())
        assert external.fetches == 2
        assert status(door, "/v1/products", fresh) == 200


def test_a_provider_that_is_away_or_another_stops_nothing_else(tmp_path, provider):
    clock = Clock()
    provider.named = "http://127.0.0.1:1"
    with opened(tmp_path, provider, clock) as door:
        assert status(door, "/v1/products", token(provider, clock)) == 401
        assert door.get("/livez").status == 200
        provider.named = provider.url
        clock.moved += 60_000
        door.run(asyncio.wait_for(door.installation.security.tend_external(), 10))
        assert status(door, "/v1/products", token(provider, clock)) == 200


def test_an_id_token_must_be_for_this_client_and_this_sign_in(tmp_path, provider):
    clock = Clock()
    with opened(tmp_path, provider, clock) as door:
        external = door.installation.security.authority.external
        now = clock() // 1_000

        def identity(key=None, typ="JWT", **changes):
            good = {"aud": "client", "nonce": "n-1"}
            text = token(provider, clock, key, typ, **{**good, **changes})
            return door.run(external.identity(text, "client", "n-1"))

        who = identity()
        host = provider.url.removeprefix("http://").replace(":", "_")
        assert (who.name, who.roles) == (f"u-1@{host}", ("merchandiser",))
        assert identity(aud=["client", "other"], azp="client") == who
        assert identity(realm_access={"roles": ["unheard of"]}).roles == ()
        bad = [
            {"nonce": "n-2"},
            {"nonce": None},
            {"nonce": ""},
            {"nonce": ["n-1"]},
            {"aud": "another"},
            {"aud": ["client", "other"]},
            {"aud": ["client", "other"], "azp": "other"},
            {"azp": "other"},
            {"iss": "https://else.example"},
            {"sub": None},
            {"exp": now - 60},
            {"iat": now + 600},
            {"exp": now + 200_000},
            {"exp": f"{now + 60}"},
            {"key": new_signing_key(0, 0)},
        ]
        for changes in bad:
            with pytest.raises(InvalidToken):
                identity(**changes)
        odd = {identity(sub=sub).name for sub in ("a/b", "a b", "a:b", "x" * 200, "ü")}
        assert len(odd) == 5
        assert all(name.startswith("oidc-") for name in odd)


def test_a_disabled_account_stops_its_tokens_of_the_provider_too(tmp_path, provider):
    clock = Clock()
    with opened(tmp_path, provider, clock) as door:
        mine = token(provider, clock)
        assert status(door, "/v1/products", mine) == 200
        host = provider.url.removeprefix("http://").replace(":", "_")
        off = Account(name=f"u-1@{host}", issuer=provider.url, disabled=True)
        door.run(door.installation.security.directory.put("default", off, "test"))
        assert status(door, "/v1/products", mine) == 401
