"""Certified client libraries against our own provider: npm `openid-client` and `jose`."""

import json
import subprocess
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

import pytest

from server import serving
from servers import free_port


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_, **__):
        return None


def api(url, key, method, path, body=None):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    content = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(url + path, content, headers, method=method), timeout=20) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def result(node, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    key = "c91f0a77e2d54b6f8a3d0b5e6f7a8b9c"
    env = {"ENDCAP_API_KEY": key, "ENDCAP_AUTH": "required"}
    # A port known before: it is part of the issuer's name.
    with serving(folder, "--port", free_port(), env=env) as (_, url):
        redirect = "http://127.0.0.1:5/back"
        tool = {"title": "tool", "scopes": ["catalogue:read"], "public": True}
        made = api(url, key, "POST", "/v1/clients", {**tool, "redirect_uris": [redirect]})
        robot = api(url, key, "POST", "/v1/clients", {"scopes": ["catalogue:read"]})
        account = {"roles": ["viewer"], "password": "seven grey herons wade"}
        api(url, key, "PUT", "/v1/accounts/ana", account)
        given = {
            "url": url,
            "client": made["client_id"],
            "redirect": redirect,
            "cookie": signed_in(url, "ana", account["password"]),
            "robot": {"id": robot["client_id"], "secret": robot["client_secret"]},
        }
        ran = subprocess.run(
            node("client.mjs", json.dumps(given)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-3_000:]
        return url, json.loads(ran.stdout), made, robot


def signed_in(url, name, password):
    form = urlencode({"name": name, "password": password}).encode()
    try:
        build_opener(Stay).open(Request(f"{url}/login", form), timeout=20)
    except OSError as answer:
        return answer.headers["set-cookie"].partition(";")[0]
    raise AssertionError


def test_openid_client_completes_our_code_flow(result):
    url, found, tool, _ = result
    assert found["state"]
    assert found["iss"] == url
    assert found["person"]["sub"] == found["again"]["sub"] == "account:ana"
    assert found["person"]["client_id"] == tool["client_id"]
    assert found["listed"] == 200
    assert found["reused"] == "invalid_grant"


def test_jose_takes_our_tokens_and_no_others(result):
    url, found, _, robot = result
    assert found["header"]["typ"] == "at+jwt"
    assert found["header"]["alg"] == "ES256"
    assert found["machine"]["client_id"] == robot["client_id"]
    assert found["machine"]["iss"] == found["machine"]["aud"] == url
    assert found["active"] == [True, False]
    assert found["foreign"] == "ERR_JWT_CLAIM_VALIDATION_FAILED"
