"""OAuth over HTTP: grants, rotation, reuse, revocation, and the hostile tokens at the door."""

import base64
import json
import re
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwk, jwt

from door import open_door
from endcap.access.keys import challenge_of
from endcap.core.accounts import Account, Client
from hostile_tokens import Forge, hostile

KEY = "5f0c7a1e9b3d48a2b6c4e8f0d1a29374"
ROOT = ("authorization", f"Bearer {KEY}")
FORM = ("content-type", "application/x-www-form-urlencoded")
REDIRECT = "https://tool.example.com/back"
VERIFIER = "v" * 43


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.moved = 0

    def __call__(self):
        return time.time_ns() // 1_000_000 + self.moved


CLOCK = Clock()


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oauth")
    with open_door(folder, clock=CLOCK, api_key=KEY, limit_address=0) as opened:
        yield opened


def form(door, path, headers=(), **fields):
    return door.call("POST", path, urlencode(fields).encode(), [FORM, *headers])


def token(door, headers=(), **fields):
    return form(door, "/oauth/token", headers, **fields)


def make_client(door, **fields):
    answer = door.post("/v1/clients", {"scopes": ["catalogue:read"], **fields}, [ROOT])
    assert answer.status == 201, answer
    return answer.json()


def bearer(text):
    return [("authorization", f"Bearer {text}")]


def products(door, text):
    return door.call("GET", "/v1/products", headers=bearer(text)).status


def test_client_credentials_in_both_ways_of_sending_the_secret(door):
    made = make_client(door, scopes=["catalogue:read", "reports:read"])
    name, secret = made["client_id"], made["client_secret"]
    post = token(door, grant_type="client_credentials", client_id=name, client_secret=secret)
    assert post.headers["cache-control"] == "no-store"
    assert post.json()["token_type"] == "Bearer"
    assert post.json()["scope"] == "catalogue:read reports:read"
    basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
    narrow = token(
        door,
        [("authorization", f"Basic {basic}")],
        grant_type="client_credentials",
        scope="catalogue:read",
    ).json()
    assert narrow["scope"] == "catalogue:read"
    assert products(door, narrow["access_token"]) == 200
    assert door.call("GET", "/v1/keys", headers=bearer(narrow["access_token"])).status == 403
    wrong = token(door, grant_type="client_credentials", client_id=name, client_secret="x")
    assert (wrong.status, wrong.json()["error"]) == (401, "invalid_client")
    much = token(
        door,
        grant_type="client_credentials",
        client_id=name,
        client_secret=secret,
        scope="accounts:admin",
    )
    assert (much.status, much.json()["error"]) == (400, "invalid_scope")


def test_a_second_secret_works_beside_the_first_and_the_third_ends_it(door):
    made = make_client(door)
    name, first = made["client_id"], made["client_secret"]
    path = f"/v1/clients/{name}/secrets"
    second = door.call("POST", path, headers=[ROOT]).json()["client_secret"]

    def works(secret):
        fields = {"client_id": name, "client_secret": secret}
        return token(door, grant_type="client_credentials", **fields).status == 200

    assert works(first)
    assert works(second)
    third = door.call("POST", path, headers=[ROOT]).json()["client_secret"]
    assert [works(one) for one in (first, second, third)] == [False, True, True]


def test_a_client_can_sign_its_requests_and_each_signature_works_once(door):
    key = jwk.ECKey.generate_key("P-256", {"kid": "mine"}, private=True)
    made = make_client(door, jwks=json.dumps({"keys": [key.as_dict(private=False)]}))
    assert "client_secret" not in made
    name = made["client_id"]
    now = CLOCK() // 1_000
    claims = {
        "iss": name,
        "sub": name,
        "aud": door.installation.security.authority.issuer + "/oauth/token",
        "jti": "one",
        "iat": now,
        "exp": now + 60,
    }

    def ask(**changes):
        kept = {k: v for k, v in {**claims, **changes}.items() if v is not None}
        return token(
            door,
            grant_type="client_credentials",
            client_id=name,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            client_assertion=jwt.encode({"alg": "ES256", "kid": "mine"}, kept, key),
        )

    assert ask().status == 200
    assert ask().status == 401
    assert ask(jti="two").status == 200
    bad = [{"aud": "https://else.example"}, {"exp": now + 9_999}, {"sub": "cl_other"}]
    for changes in [*bad, {"jti": None}, {"iss": "cl_other"}, {"exp": now - 60}]:
        assert ask(**{"jti": "three", **changes}).status == 401


def test_introspection_and_revocation_are_for_the_client_itself(door):
    mine, other = make_client(door), make_client(door)

    def credentials(made):
        return {"client_id": made["client_id"], "client_secret": made["client_secret"]}

    text = token(door, grant_type="client_credentials", **credentials(mine)).json()["access_token"]
    seen = form(door, "/oauth/introspect", token=text, **credentials(other)).json()
    assert seen["active"]
    assert seen["client_id"] == mine["client_id"]
    assert form(door, "/oauth/introspect", token=text).status == 401
    assert form(door, "/oauth/introspect", token="x", **credentials(mine)).json() == {
        "active": False
    }
    assert form(door, "/oauth/revoke", token=text, **credentials(other)).status == 200
    assert products(door, text) == 200
    assert form(door, "/oauth/revoke", token=text, **credentials(mine)).status == 200
    assert products(door, text) == 401
    assert not form(door, "/oauth/introspect", token=text, **credentials(mine)).json()["active"]


def test_a_deleted_client_stops_at_once(door):
    made = make_client(door)
    fields = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    text = token(door, grant_type="client_credentials", **fields).json()["access_token"]
    assert products(door, text) == 200
    door.call("DELETE", f"/v1/clients/{made['client_id']}", headers=[ROOT])
    assert products(door, text) == 401


def test_keys_rotate_without_refusing_a_valid_token(door):
    made = make_client(door)
    fields = {"client_id": made["client_id"], "client_secret": made["client_secret"]}

    def fresh():
        return token(door, grant_type="client_credentials", **fields).json()["access_token"]

    def kids():
        keys = door.get("/.well-known/jwks.json").json()["keys"]
        assert all(set(k) == {"kty", "crv", "x", "y", "kid", "alg", "use"} for k in keys)
        return {key["kid"] for key in keys}

    def kid(text):
        return jwt.decode(
            text, jwk.KeySet.import_key_set(door.get("/.well-known/jwks.json").json())
        ).header["kid"]

    rotations = 0
    for _ in range(5):
        before, current = fresh(), kid(fresh())
        answer = door.call("POST", "/v1/signing-keys:rotate", headers=[ROOT])
        announced = answer.json()["announced"]
        assert announced in kids()
        assert kid(fresh()) == current  # announced, not yet used
        assert products(door, before) == 200
        CLOCK.moved += 600_000 - 5_000
        late = fresh()
        CLOCK.moved += 10_000
        assert kid(fresh()) == announced
        assert products(door, late) == 200
        CLOCK.moved += 650_000
        assert products(door, late) == 401
        assert current not in kids()
        rotations += 1
    assert rotations == 5


def test_the_hostile_tokens_at_the_door(door):
    installation = door.installation
    keyring = installation.security.keyring
    client = Client(id="cl_1", scopes=("catalogue:read",))
    door.run(installation.security.directory.put("default", client, "test"))
    more = {"shop": "default", "epoch": 0}
    forge = Forge(
        keyring.current().private,
        installation.security.authority.issuer,
        CLOCK() // 1_000,
        **more,
    )
    assert products(door, forge.sign()) == 200
    cases = hostile(forge)
    for shop in ("other", "", None, 1, "*"):
        cases[f"shop {shop!r}"] = forge.sign(claims={"shop": shop})
    cases["another client"] = forge.sign(claims={"sub": "cl_2"})
    cases["an account"] = forge.sign(claims={"sub": "account:admin"})
    cases["another epoch"] = forge.sign(claims={"epoch": 1})
    accepted, slowest = [], 0.0
    for name, text in cases.items():
        if any(ord(c) > 255 for c in text) or len(text) > 16_000 or "\n" in text:
            continue
        begin = time.perf_counter()
        answer = door.call("GET", "/v1/products", headers=bearer(text))
        slowest = max(slowest, time.perf_counter() - begin)
        assert answer.status in (401, 431), (name, answer)
        if answer.status == 200:
            accepted.append(name)
    assert accepted == []
    assert len(cases) >= 130


class Person:
    """Somebody signed in, with a public client that wants to act for them."""

    def __init__(self, door, name="ana"):
        self.door = door
        directory = door.installation.security.directory
        account = Account(name=name, roles=("analyst",))
        door.run(directory.put("default", account, "test"))
        session = door.run(door.installation.security.people.start("default", account))
        self.cookie = ("cookie", f"endcap_session={session}")
        self.client = make_client(
            door,
            title="<b>Tool</b>",
            public=True,
            redirect_uris=[REDIRECT],
            scopes=["catalogue:read", "reports:read", "accounts:admin"],
        )["client_id"]

    def fields(self, **changes):
        fields = {
            "client_id": self.client,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "state": "s t&",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {k: v for k, v in {**fields, **changes}.items() if v is not None}

    def ask(self, **changes):
        target = "/oauth/authorize?" + urlencode(self.fields(**changes))
        return self.door.call("GET", target, headers=[self.cookie])

    def allow(self, answer="allow", **changes):
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', self.ask().body.decode())[1]
        body = urlencode({**self.fields(), "csrf": csrf, "answer": answer, **changes}).encode()
        return self.door.call("POST", "/oauth/authorize", body, [FORM, self.cookie])

    def code(self):
        return parse_qs(urlsplit(self.allow().headers["location"]).query)["code"][0]

    def redeem(self, code, **changes):
        fields = {
            "grant_type": "authorization_code",
            "client_id": self.client,
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return token(self.door, **{**fields, **changes})

    def refresh(self, text):
        return token(
            self.door, grant_type="refresh_token", client_id=self.client, refresh_token=text
        )


@pytest.fixture(scope="module")
def person(door):
    return Person(door)


def test_a_person_lets_a_tool_in_with_pkce(door, person):
    page = person.ask()
    assert page.status == 200
    assert b"&lt;b&gt;Tool&lt;/b&gt;" in page.body
    assert "form-action 'self' https://tool.example.com" in page.headers["content-security-policy"]
    back = urlsplit(person.allow().headers["location"])
    assert back._replace(query="").geturl() == REDIRECT
    answered = parse_qs(back.query)
    assert answered["state"] == ["s t&"]
    assert answered["iss"] == [door.installation.security.authority.issuer]
    given = person.redeem(answered["code"][0]).json()
    # No more than the account has, whatever the client may have.
    assert given["scope"] == "catalogue:read reports:read"
    assert products(door, given["access_token"]) == 200
    assert door.call("GET", "/v1/keys", headers=bearer(given["access_token"])).status == 403


def test_a_code_used_twice_ends_everything_made_from_it(door, person):
    for _ in range(5):
        code = person.code()
        given = person.redeem(code).json()
        assert person.redeem(code).json()["error"] == "invalid_grant"
        assert products(door, given["access_token"]) == 401
        assert person.refresh(given["refresh_token"]).status == 400


def test_refresh_tokens_rotate_and_an_old_one_ends_the_line(door, person):
    for _ in range(5):
        first = person.redeem(person.code()).json()
        second = person.refresh(first["refresh_token"]).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert person.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        assert person.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
        assert products(door, second["access_token"]) == 401


def test_one_refresh_token_used_by_eight_at_once_leaves_no_line_alive(door, person):
    first = person.redeem(person.code()).json()
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(person.refresh(first["refresh_token"])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [a.json() for a in answers if a.status == 200]
    assert len(answers) == 8
    assert len(won) <= 1
    for one in won:
        assert person.refresh(one["refresh_token"]).status == 400
        assert products(door, one["access_token"]) == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": ""},
        {"client_id": "cl_unknown"},
        {"code": "x"},
    ],
)
def test_a_code_is_bound_to_client_redirect_and_verifier(person, changes):
    code = changes.get("code") or person.code()
    rest = {k: v for k, v in changes.items() if k != "code"}
    assert person.redeem(code, **rest).status in (400, 401)


def test_a_code_lives_a_minute(person):
    code = person.code()
    CLOCK.moved += 61_000
    assert person.redeem(code).json()["error"] == "invalid_grant"


REDIRECTS = [
    REDIRECT + suffix
    for suffix in (
        "/",
        "?x=1",
        "#f",
        "/..",
        "%2f",
        ".evil.example",
        "@evil.example",
        "\\",
        " ",
        "\t",
    )
] + [
    "https://tool.example.com",
    "https://tool.example.com:8443/back",
    "https://TOOL.example.com/back",
    "https://tool.example.com/BACK",
    "http://tool.example.com/back",
    "https://user@tool.example.com/back",
    "https://tool.example.com.evil.example/back",
    "https://evil.example/tool.example.com/back",
    "https://tool.example.com//back",
    "https://tool.example.com/./back",
    "https://tool.example.com/x/../back",
    "https://tool.example.com/%62ack",
    "//tool.example.com/back",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
]


@pytest.mark.parametrize("uri", REDIRECTS)
def test_no_other_redirect_is_ever_followed(person, uri):
    answer = person.ask(redirect_uri=uri)
    assert answer.status == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "builds:run"}, "invalid_scope"),
        ({"scope": "accounts:admin"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_goes_back_with_its_error(person, changes, error):
    back = parse_qs(urlsplit(person.ask(**changes).headers["location"]).query)
    assert back["error"] == [error]


def test_a_person_may_say_no_and_a_foreign_form_says_nothing(door, person):
    back = parse_qs(urlsplit(person.allow(answer="deny").headers["location"]).query)
    assert back["error"] == ["access_denied"]
    assert person.allow(csrf="0" * 64).status == 403
    body = urlencode({**person.fields(), "answer": "allow"}).encode()
    assert door.call("POST", "/oauth/authorize", body, [FORM, person.cookie]).status == 403
    nobody = door.call("GET", "/oauth/authorize?" + urlencode(person.fields()))
    assert nobody.status == 303
    assert nobody.headers["location"].startswith("/login?next=")


def test_other_grants_and_bodies_are_refused_by_their_name(door):
    made = make_client(door)
    fields = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    for kind in ("password", "implicit", ""):
        answer = token(door, grant_type=kind, username="a", password="b", **fields)
        assert answer.json()["error"] == "unsupported_grant_type"
    assert door.post("/oauth/token", {"grant_type": "client_credentials"}).status == 400
    metadata = door.get("/.well-known/oauth-authorization-server").json()
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "password" not in metadata["grant_types_supported"]
    assert metadata["token_endpoint"] == metadata["issuer"] + "/oauth/token"
