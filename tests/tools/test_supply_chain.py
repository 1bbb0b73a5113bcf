"""The dependency audit: it finds holes, and says so when it cannot see."""

import importlib.util
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("supply_chain", ROOT / "tools" / "supply_chain.py")
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


class Database(BaseHTTPRequestHandler):
    """An OSV database with the holes a test gives it."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known = self.server.known
        results = [
            {"vulns": [{"id": known[q["package"]["name"]]}]}
            if q["package"]["name"] in known
            else {}
            for q in body["queries"]
        ]
        content = json.dumps({"results": results[: self.server.cut]}).encode()
        self.server.asked = len(body["queries"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def database():
    server = HTTPServer(("127.0.0.1", 0), Database)
    server.known, server.cut, server.asked = {"jinja2": "GHSA-old"}, None, 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def lock(tmp_path, text):
    file = tmp_path / "lock.txt"
    file.write_text(text)
    return file


def audit(database, file):
    return tool.main(["audit", "--lock", str(file), "--osv", database.url])


def test_every_package_of_our_own_lock_is_asked_for(database, capsys):
    file = ROOT / "requirements" / "base.txt"
    lines = [line for line in file.read_text().splitlines() if "==" in line]
    database.known = {}
    packages = tool.pinned(file)
    assert len(packages) == len(lines) >= 20
    assert all(package.hashes for package in packages)
    database.known = {"starlette": "GHSA-new", "jinja2": "GHSA-old"}
    assert audit(database, file) == tool.HOLES
    assert database.asked == len(packages) + 1
    assert "starlette==" in capsys.readouterr().out


def test_no_hole_is_good_news_only_from_a_database_that_can_see(database, tmp_path, capsys):
    file = lock(tmp_path, "starlette==1.0.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    assert audit(database, file) == 0
    assert "1 packages asked for, 1 answered, 0 with holes" in capsys.readouterr().out
    database.known = {}
    assert audit(database, file) == tool.BLIND
    database.known, database.cut = {"jinja2": "GHSA-old"}, 1
    assert audit(database, file) == tool.BLIND
    assert tool.main(["audit", "--lock", str(file), "--osv", "http://127.0.0.1:9"]) == tool.BLIND


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "starlette\n", "git+https://x/y.git\n", "-e .\n"]
)
def test_a_line_that_cannot_be_read_is_no_package_skipped(database, tmp_path, text):
    assert audit(database, lock(tmp_path, text)) == tool.BLIND


def test_the_bill_of_materials_names_every_package(capsys):
    assert tool.main(["sbom"]) == 0
    bill = json.loads(capsys.readouterr().out)
    assert bill["bomFormat"] == "CycloneDX"
    packages = tool.pinned(ROOT / "requirements" / "base.txt")
    assert len(bill["components"]) == len(packages)
    assert all(c["purl"].startswith("pkg:pypi/") and c["hashes"] for c in bill["components"])
    licensed = [c for c in bill["components"] if c.get("licenses")]
    assert len(licensed) >= len(packages) * 0.8
