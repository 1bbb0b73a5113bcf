"""The first ways in from the machine of the server: a one-time link, a key."""

import json
import subprocess
import sys
from urllib.parse import urlencode

from door import open_door

FORM = ("content-type", "application/x-www-form-urlencoded")


def endcap(tmp_path, *arguments):
    ran = subprocess.run(
        [sys.executable, "-c", "from endcap.cli import main; main()", *arguments, "--json"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def test_a_link_made_while_the_server_runs_signs_in(tmp_path):
    data = tmp_path / "data"
    with open_door(data, auth="required") as door:
        url = endcap(tmp_path, "login-link", "--data", str(data))["url"]
        link = url.partition("link=")[2]
        body = urlencode({"link": link}).encode()
        assert door.call("POST", "/login", body, [FORM]).status == 303
        assert door.call("POST", "/login", body, [FORM]).status == 401


def test_a_key_made_while_the_server_is_stopped_opens_it(tmp_path):
    data = tmp_path / "data"
    made = endcap(tmp_path, "key", "--data", str(data), "--scope", "catalogue:read")
    with open_door(data, auth="required") as door:
        headers = [("authorization", f"Bearer {made['key']}")]
        assert door.call("GET", "/v1/products", headers=headers).status == 200
        assert door.call("GET", "/v1/keys", headers=headers).status == 403
        assert door.call("GET", "/v1/products").status == 401
