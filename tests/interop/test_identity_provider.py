"""A real, certified OpenID provider (npm `oidc-provider`): its tokens and its people."""

import json
import re
import subprocess
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from door import open_door
from endcap.core.accounts import Account
from servers import free_port

REDIRECT = "http://127.0.0.1:8400/login/oidc/callback"
SECRET = "s:e c/r+e&t=%-of-the-dashboard"


@contextmanager
def provider_of(node, *more):
    port = free_port()
    process = subprocess.Popen(
        node("provider.mjs", port, REDIRECT, *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()[-2_000:]
        yield json.loads(line)["issuer"]
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def issuer(node):
    with provider_of(node) as found:
        yield found


def opened(tmp_path, issuer, **settings):
    given = {
        "auth": "required",
        "oidc_issuer": issuer,
        "oidc_audience": "urn:endcap",
        "oidc_client_id": "endcap",
        "oidc_client_secret": SECRET,
        "oidc_roles": "buyers=merchandiser",
        **settings,
    }
    return open_door(tmp_path, **given)


def cookies_of(answer):
    """What the browser keeps; the test's answers have one Set-Cookie header, or the last one."""
    return ("cookie", answer.headers["set-cookie"].partition(";")[0])


def begin(door, after=""):
    answer = door.get("/login/oidc", **({"next": after} if after else {}))
    assert answer.status == 303, answer
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    return answer.headers["location"], cookies_of(answer)


def at_provider(address, name):
    """What a person does there: sign in, agree. Gives the address it sends them back to."""
    with httpx.Client(timeout=20) as browser:
        answer = browser.get(address)
        for _ in range(12):
            location = answer.headers.get("location", "")
            if location.startswith(REDIRECT):
                return location
            if location:
                answer = browser.get(httpx.URL(answer.url).join(location))
                continue
            action = re.search(r'action="([^"]+)"', answer.text)[1]
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)[1]
            form = {"prompt": prompt, "login": name, "password": "any"}
            answer = browser.post(httpx.URL(answer.url).join(action), data=form)
    raise AssertionError(f"never sent back: {answer}")


def come_back(door, location, cookie):
    return door.call("GET", location.partition("8400")[2], headers=[cookie])


def sign_in(door, name, after=""):
    address, cookie = begin(door, after)
    return come_back(door, at_provider(address, name), cookie)


def session_of(door, answer):
    assert answer.status == 303, answer
    held = re.search(r"endcap_session=([^;]+)", answer.headers["set-cookie"])
    return ("cookie", f"endcap_session={held[1]}") if held and held[1] else None


@pytest.fixture
def cookie_headers(monkeypatch):
    """Keeps every Set-Cookie header, where the door's answers keep one per name."""
    import door as module

    kept = []
    whole = module.asgi_call

    async def call(app, method, target, headers=(), parts=(b"",)):
        async def spying(scope, receive, send):
            async def sending(message):
                if message["type"] == "http.response.start":
                    kept.extend(v.decode() for k, v in message["headers"] if k == b"set-cookie")
                await send(message)

            await app(scope, receive, sending)

        return await whole(spying, method, target, headers, parts)

    monkeypatch.setattr(module, "asgi_call", call)
    return kept


def session(kept):
    found = [c.partition(";")[0] for c in kept if c.startswith("endcap_session=")]
    return ("cookie", found[-1])


def test_people_sign_in_with_the_roles_the_provider_gives(tmp_path, issuer, cookie_headers):
    with opened(tmp_path, issuer) as door:
        page = door.get("/login").body.decode()
        assert "/login/oidc?next=" in page
        assert 'name="password"' in page  # local accounts stay possible
        answer = sign_in(door, "ana", "/dashboard/rules?q=1")
        assert answer.status == 303, answer
        assert answer.headers["location"] == "/dashboard/rules?q=1"
        mine = session(cookie_headers)
        assert door.call("GET", "/dashboard/rules", headers=[mine]).status == 200
        assert door.call("GET", "/v1/keys", headers=[mine]).status == 403
        account = door.call("GET", "/account", headers=[mine]).body.decode()
        assert "merchandiser" in account
        assert 'type="password"' not in account
        assert sign_in(door, "root").status == 303
        root = session(cookie_headers)
        accounts = door.call("GET", "/v1/accounts", headers=[root]).json()
        assert [a["roles"] for a in accounts] == [["merchandiser"], ["admin", "merchandiser"]]
        assert all(a["name"].startswith(("ana@127.0.0.1_", "root@127")) for a in accounts)
        audit = door.call("GET", "/v1/audit", headers=[root]).json()
        assert audit["data"] == []  # signing in changed nothing of the shop's


def test_who_has_no_role_is_told_so_and_gets_in_nowhere(tmp_path, issuer, cookie_headers):
    with opened(tmp_path, issuer) as door:
        for name in ("eve", "odd", "nobody-known"):
            answer = sign_in(door, name)
            assert answer.status == 403, answer
            assert b"no role here" in answer.body
        assert not [c for c in cookie_headers if c.startswith("endcap_session=")]
        assert door.installation.security.directory.all("default", Account) == []


def test_a_role_taken_away_there_is_gone_here_at_the_next_sign_in(tmp_path, issuer, cookie_headers):
    with opened(tmp_path, issuer) as door:
        assert sign_in(door, "ana").status == 303
        before = session(cookie_headers)
    with opened(tmp_path, issuer, oidc_roles="buyers=gone") as door:
        assert sign_in(door, "ana").status == 403
        # The session of before has no scope any more either.
        assert door.call("GET", "/v1/products", headers=[before]).status == 403


def test_disabled_and_taken_names_stay_out(tmp_path, issuer, cookie_headers):
    with opened(tmp_path, issuer) as door:
        assert sign_in(door, "ana").status == 303
        directory = door.installation.security.directory
        (account,) = directory.all("default", Account)
        import msgspec

        off = msgspec.structs.replace(account, disabled=True)
        door.run(directory.put("default", off, "test"))
        assert sign_in(door, "ana").status == 403
        token = access_token(issuer, "ana-is-a-person")
        assert token  # a robot's; a person's is refused by the account below
        host = account.name.partition("@")[2]
        local = Account(name=f"root@{host}", roles=("viewer",))
        door.run(directory.put("default", local, "test"))
        refused = sign_in(door, "root")
        assert refused.status == 403
        assert b"local account" in refused.body
        assert directory.get("default", Account, local.name).roles == ("viewer",)


def test_each_sign_in_counts_for_one_browser_and_once(tmp_path, issuer, cookie_headers):
    with opened(tmp_path, issuer) as door:
        address, cookie = begin(door)
        asked = parse_qs(urlsplit(address).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert {"state", "nonce", "code_challenge"} <= set(asked)
        back = at_provider(address, "ana")
        good = parse_qs(urlsplit(back).query)
        assert set(good) == {"code", "state", "iss"}
        stranger = begin(door)[1]
        path = "/login/oidc/callback"
        code, state = good["code"][0], good["state"][0]
        wrong = [
            (back, ("cookie", "x=y")),  # no cookie: begun by another browser
            (back, stranger),  # another sign-in of this browser
            (back, ("cookie", cookie[1][:-4] + "AAAA")),
            (f"{REDIRECT}?code={code}&state={state}x", cookie),
            (f"{REDIRECT}?code={code}", cookie),
            (f"{REDIRECT}?code=&state={state}", cookie),
            (f"{REDIRECT}?code={code}&state={state}&iss=https://else.example", cookie),
            (f"{REDIRECT}?code={code}&state={state}&state={state}", cookie),
            (f"{REDIRECT}?error=access_denied&state={state}", cookie),
            (f"{REDIRECT}?code=made-up&state={state}", cookie),
        ]
        for location, sent in wrong:
            answer = come_back(door, location, sent)
            assert answer.status == 401, (location, answer)
            assert not [c for c in cookie_headers if c.startswith("endcap_session=")]
        assert (
            b"access_denied"
            in door.call("GET", f"{path}?error=access_denied&state={state}", headers=[cookie]).body
        )
        assert come_back(door, back, cookie).status == 303
        assert come_back(door, back, cookie).status == 401  # the code has been used
        assert len([c for c in cookie_headers if c.startswith("endcap_session=")]) == 1


def test_the_secret_may_be_sent_in_the_form(tmp_path, node, cookie_headers):
    with provider_of(node, "client_secret_post") as other, opened(tmp_path, other) as door:
        external = door.installation.security.authority.external
        external.endpoints.token_endpoint_auth_methods_supported = ["client_secret_post"]
        assert sign_in(door, "ana").status == 303


def access_token(issuer, subject="", resource="urn:endcap"):
    form = {"grant_type": "client_credentials", "scope": "api", "resource": resource}
    answer = httpx.post(f"{issuer}/token", data=form, auth=("robot", "robots-have-secrets-too"))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def test_its_access_tokens_are_taken_and_its_id_tokens_are_not(tmp_path, issuer):
    with opened(tmp_path, issuer) as door:

        def status(token, path="/v1/products"):
            return door.call("GET", path, headers=[("authorization", f"Bearer {token}")]).status

        good = access_token(issuer)
        assert good.count(".") == 2
        assert status(good) == 200
        assert status(good, "/v1/keys") == 403
        assert status(access_token(issuer, resource="urn:another")) == 401
        assert status(good[:-3] + "AAA") == 401
    with opened(tmp_path, issuer, oidc_audience="urn:rsa") as door:
        rsa = access_token(issuer, resource="urn:rsa")
        found = door.call("GET", "/v1/products", headers=[("authorization", f"Bearer {rsa}")])
        assert found.status == 200


def test_without_the_setting_there_is_no_such_sign_in(tmp_path):
    with open_door(tmp_path, auth="required") as door:
        assert "/login/oidc" not in door.get("/login").body.decode()
        assert door.get("/login/oidc").status == 404
        assert door.get("/login/oidc/callback").status == 404


def test_a_provider_that_is_away_leaves_local_accounts(tmp_path):
    nobody = f"http://127.0.0.1:{free_port()}"
    with opened(tmp_path, nobody) as door:
        answer = door.get("/login/oidc")
        assert answer.status == 503
        assert b'name="password"' in answer.body
