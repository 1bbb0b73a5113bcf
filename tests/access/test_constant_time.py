"""What a stopwatch could tell, counted without one: `bench/timing.py` has the times themselves."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

import endcap
from door import open_door
from endcap.access.passwords import DUMMY, hashed
from endcap.core.accounts import Account
from endcap.services import people

SOURCE = Path(endcap.__file__).parent
SECRET = re.compile(r"digest|secret|\bmac\b|signature|csrf|password|hashed|receipt|nonce|verifier")
# Compared as text on purpose, with how often: names of kinds, and what is public.
PUBLIC = {
    "services/administration.py": 1,  # the kind of a key: `k.kind == "secret"`
    "web/auth/door.py": 2,  # the same
    "access/keys.py": 1,  # a checksum that anybody can compute
}


def compared(tree):
    """Comparisons for equality, either side of which is named like a secret."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(
            isinstance(op, ast.Eq | ast.NotEq) for op in node.ops
        ):
            text = ast.unparse(node)
            if SECRET.search(text) or "_checksum" in text:
                yield text


def test_no_secret_is_compared_with_an_operator_that_stops_early():
    found, constant = {}, 0
    folders = ("access", "services", "web/auth", "web/api", "ingest/foreign")
    files = [file for folder in folders for file in sorted((SOURCE / folder).glob("*.py"))]
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        texts = list(compared(tree))
        if texts:
            found[file.relative_to(SOURCE).as_posix()] = texts
        constant += ast.unparse(tree).count("compare_digest(")
    assert {name: len(texts) for name, texts in found.items()} == PUBLIC, found
    assert constant >= 9
    assert len(files) >= 90


def parameters(argon2):
    return argon2.split("$")[1:4]


@pytest.fixture
def door(tmp_path):
    with open_door(tmp_path, auth="required") as opened:
        yield opened


def test_every_refused_sign_in_costs_one_hash_of_the_same_size(door, monkeypatch):
    directory = door.installation.security.directory
    good = hashed("seven grey herons wade")
    ana = Account(name="ana", roles=("viewer",), password=good)
    for account in (
        ana,
        msgspec.structs.replace(ana, name="off", disabled=True),
        Account(name="linked", roles=("viewer",)),
        msgspec.structs.replace(ana, name="elsewhere", issuer="https://id.example.com"),
    ):
        door.run(directory.put("default", account, "test"))
    asked = []
    inner = people.matches

    def counted(stored, password):
        asked.append(stored)
        return inner(stored, password)

    monkeypatch.setattr(people, "matches", counted)
    answers = set()
    for name in ("ana", "off", "linked", "elsewhere", "nobody", "x" * 200, ""):
        asked.clear()
        wrong = door.call(
            "POST",
            "/login",
            f"name={name}&password=wrong+words+of+some+length".encode(),
            [("content-type", "application/x-www-form-urlencoded")],
        )
        answers.add((wrong.status, wrong.body))
        assert len(asked) == 1, name
        assert parameters(asked[0]) == parameters(good) == parameters(DUMMY)
    # All the same to the byte: nobody is told which of the names exist.
    assert len(answers) == 1
    assert answers.pop()[0] == 401
