"""Erasing visitors: nothing of them is left, and everything is as if they had never been there."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pysqlite3
import pytest
from canaries import PRODUCTS, aggregates, history, needles, scan, stock

from door import open_door

CANARIES = [f"canary-{n:02}-zq7" for n in range(12)]
OTHERS = [f"other-{n:02}" for n in range(40)]
SECRET = "0ce8ead21112387365458edb9c2f92d7c991a1a5a74423cf0c6be5690cc87fc3"
NOW = 1_782_000_000_000  # 2026-06-21, fixed so that two shops count alike


def clock():
    return NOW


def erase(door, visitor, method="DELETE", suffix=""):
    answer = door.call(method, f"/v1/visitors/{visitor}{suffix}")
    assert answer.status == 202, answer
    return answer.json()


def finish(door):
    door.run(door.installation.erasing.erasures.finished("default"))


def state(door, erasure):
    return door.get(f"/v1/erasures/{erasure['id']}").json()


def live_in(door, visitors):
    for n, visitor in enumerate(visitors):
        receipt = door.send(*history(visitor, n))
        assert (receipt["accepted"], receipt["rejected"]) == (3, 1)


def test_nothing_is_left_in_any_byte_of_any_file(tmp_path):
    folder = tmp_path / "data"
    with open_door(folder, clock=clock) as door:
        stock(door)
        live_in(door, [*OTHERS, *CANARIES])
        door.build()
        for visitor in CANARIES:
            door.get("/v1/recommendations/home", visitor=visitor)
            chosen = door.call("PUT", f"/v1/visitors/{visitor}/consent", {"sharing": "denied"})
            assert chosen.status == 200
            tags = door.call("PUT", f"/v1/visitors/{visitor}/tags", {"tags": ["vip"]})
            assert tags.status == 200
            mute = {"muted": ["category:Home"]}
            assert door.call("PATCH", f"/v1/visitors/{visitor}/profile", mute).status == 200
        later = [{**e, "event_id": e["event_id"] + "2"} for e in history(CANARIES[0], 3)]
        door.send(*later)  # newer than the snapshot
        door.get("/v1/reports/performance")
        sought = needles(door, CANARIES)
        door.run(door.installation.served.flush())
        before, _ = scan(folder, sought)
        found = {needle for _, needle in before}
        assert len(found) >= len(CANARIES) * 2, "the scan must find them while they are there"
        for visitor in CANARIES:
            erasure = erase(door, visitor)
            assert erasure["state"] == "suppressed"
            assert erasure["suppressed_at"] - erasure["requested_at"] <= 1_000
        finish(door)
        done = state(door, erasure)
        assert done["state"] == "verified"
        assert door.installation.erasing.erasures.is_genuine(
            door.run(door.installation.erasing.erasures.get("default", erasure["id"]))
        )
        hits, files = scan(folder, sought)
        assert hits == []
        assert files >= 10
        assert door.get(f"/v1/visitors/{OTHERS[0]}/export").json()["events"]
    hits, _ = scan(folder, sought)
    assert hits == []


def test_afterwards_everything_equals_a_shop_that_never_saw_them(tmp_path):
    results = []
    for name, visitors in (("with", [*OTHERS, *CANARIES]), ("without", OTHERS)):
        with open_door(tmp_path / name, clock=clock, secret=SECRET) as door:
            stock(door)
            live_in(door, visitors)
            door.build()
            if name == "with":
                for visitor in CANARIES:
                    erase(door, visitor)
                finish(door)
            results.append(aggregates(door))
    (arrays, counts, shown, related), (arrays2, counts2, shown2, related2) = results
    assert counts == counts2
    assert shown == shown2
    assert related == related2
    assert arrays.keys() == arrays2.keys()
    for name, content in arrays.items():
        if content != arrays2[name]:
            # Sums of floats may differ in their last bit, as threads add them up in any order.
            one, two = (np.load(io.BytesIO(c)) for c in (content, arrays2[name]))
            assert one.dtype.kind == "f", name
            np.testing.assert_allclose(one, two, rtol=1e-14, err_msg=name)
    assert len(arrays) >= 20


def test_a_suppressed_visitor_is_refused_and_an_old_event_of_it_for_ever(fresh):
    stock(fresh)
    fresh.send({"event_id": "1", "type": "view", "visitor": "ann", "product": "mug"})
    gate = fresh.installation.gate
    erasure = erase(fresh, "ann")
    finish(fresh)
    assert gate.suppressed == set()
    late = {"event_id": "2", "type": "view", "visitor": "ann", "product": "mug"}
    receipt = fresh.send({**late, "time": "2024-01-01T00:00:00Z"})
    assert receipt["rejected"] == 1
    assert receipt["results"][0]["errors"][0]["code"] == "visitor_erased"
    assert fresh.installation.store.events.dead_letters("default", 0, 10) == []
    # A person who comes back later is somebody new.
    assert fresh.send(late)["accepted"] == 1
    assert state(fresh, erasure)["removed"]["log"] == 1


def test_asking_twice_is_one_erasure_and_an_unknown_visitor_is_erased_too(fresh):
    one, two = erase(fresh, "ann"), erase(fresh, "ann")
    finish(fresh)
    assert state(fresh, one)["state"] == state(fresh, two)["state"] == "verified"
    assert fresh.get("/v1/erasures/none").status == 404
    assert fresh.call("DELETE", "/v1/visitors/" + "x" * 300).status == 422


def test_anonymised_events_count_on_under_nobody(tmp_path):
    with open_door(tmp_path / "data", clock=clock) as door:
        stock(door)
        live_in(door, ["ann", "bob"])
        sought = needles(door, ["ann"])
        erasure = erase(door, "ann", "POST", "/anonymise")
        finish(door)
        assert state(door, erasure)["state"] == "verified"
        events = door.installation.store.events.after("default", 0, 100)
        copies = [e for e in events if e.source == "anonymised"]
        assert [e.type for e in copies] == ["view", "purchase"]
        assert {e.visitor for e in copies} == {""}
        assert all(e.order is None and e.query is None and e.session is None for e in copies)
        assert [line.product for line in copies[1].lines] == ["mug", "plate"]
        assert scan(tmp_path / "data", sought)[0] == []


def test_ingest_that_races_with_an_erasure_brings_nobody_back(tmp_path):
    with open_door(tmp_path / "data") as door:
        stock(door)
        door.send(*history("ann", 0))
        stop, sent = threading.Event(), []

        def write(name):
            n = 0
            while not stop.is_set() and n < 400:
                n += 1
                event = {"event_id": f"{name}-{n}", "type": "view", "visitor": "ann"}
                receipt = door.send({**event, "product": "mug", "time": "2026-01-01T00:00:00Z"})
                sent.append(receipt["accepted"])

        threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        while sum(sent) < 20:
            pass
        erase(door, "ann")
        finish(door)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert sum(sent) >= 20
        name = door.installation.recommender._pseudonyms.visitor("default", "ann")
        assert door.installation.store.events.by_visitor("default", name, 10) == []
        assert scan(tmp_path / "data", [name.encode(), b"query-of-ann"])[0] == []


KILLED = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {here!r}]
from door import open_door
from canaries import history, stock

with open_door({folder!r}) as door:
    if not os.path.exists({folder!r} + "/stocked"):
        stock(door)
        for n, visitor in enumerate(["canary-ann", "bob"]):
            door.send(*history(visitor, n))
        door.build()
        open({folder!r} + "/stocked", "w").close()

    def reached(name):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    erasures = door.installation.erasing.erasures
    erasures.reached = reached
    door.call("DELETE", "/v1/visitors/canary-ann")
    door.run(erasures.finished("default"))
"""
POINTS = (
    "marked",
    "accepted",
    "suppressed",
    "removed from log",
    "removed from archive",
    "removed from snapshots",
    "purged",
)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_it_goes_on_to_the_end(tmp_path, point):
    folder = tmp_path / "data"
    here = Path(__file__).parent
    code = KILLED.format(tests=str(here.parent), here=str(here), folder=str(folder))
    ran = subprocess.run([sys.executable, "-c", code, point], timeout=100, check=False)
    assert ran.returncode == -signal.SIGKILL
    with open_door(folder) as door:
        finish(door)
        (erasure,) = door.get("/v1/erasures").json()
        assert erasure["state"] == "verified"
        sought = needles(door, ["canary-ann"])
        assert scan(folder, sought)[0] == []
        assert len(door.get("/v1/visitors/bob/export").json()["events"]) == 3


def test_a_backup_put_back_is_cleared_before_the_first_answer(tmp_path):
    folder, backup = tmp_path / "data", tmp_path / "backup"
    with open_door(folder) as door:
        stock(door)
        live_in(door, ["canary-ann", "bob"])
        door.build()
        sought = needles(door, ["canary-ann"])
        backup.mkdir()
        with contextlib.closing(pysqlite3.connect(folder / "endcap.db")) as connection:
            connection.execute(f"VACUUM INTO '{backup / 'endcap.db'}'")
        erase(door, "canary-ann")
        finish(door)
        assert scan(folder, sought)[0] == []
    for old in folder.glob("endcap.db*"):
        old.unlink()
    (backup / "endcap.db").rename(folder / "endcap.db")
    assert scan(folder, sought)[0] != []
    with open_door(folder) as door:
        assert scan(folder, sought)[0] == []
        (erasure,) = door.get("/v1/erasures").json()
        assert erasure["state"] == "verified"
        assert len(door.get("/v1/visitors/bob/export").json()["events"]) == 3
        assert door.get("/v1/visitors/canary-ann/export").json()["events"] == []


@pytest.mark.parametrize("beside", [True, False])
def test_restoring_an_older_backup_erases_again_whoever_was_erased_since(tmp_path, beside):
    """The ledger lies in the new store's folder, or is named; nothing has to be started."""
    folder, back = tmp_path / "data", tmp_path / "back"
    with open_door(folder, secret=SECRET) as door:
        stock(door)
        live_in(door, ["canary-ann", "bob"])
        # One has never done anything, and is known by a choice and a tag alone.
        for visitor in ("canary-quiet", "canary-ann"):
            for what, body in (("consent", {"sharing": "denied"}), ("tags", {"tags": ["vip"]})):
                assert door.call("PUT", f"/v1/visitors/{visitor}/{what}", body).status == 200
        sought = needles(door, ["canary-ann", "canary-quiet"])
        made = cli("backup", tmp_path / "b.zip", "--data", folder)
        assert made.returncode == 0, made.stderr
        for visitor in ("canary-ann", "canary-quiet"):
            erase(door, visitor)
        finish(door)
    back.mkdir()
    ledger = folder / "erasures.ledger"
    words = [] if beside else ["--ledger", ledger]
    if beside:
        shutil.copy(ledger, back)
    restored = cli("restore", tmp_path / "b.zip", "--data", back, *words, "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["erased"] == 2
    assert scan(back, sought)[0] == []
    with open_door(back, secret=SECRET) as door:
        assert len(door.get("/v1/visitors/bob/export").json()["events"]) == 3
        assert {one["state"] for one in door.get("/v1/erasures").json()} == {"verified"}
    # Without a ledger they are there: the scan can find them.
    plain = cli("restore", tmp_path / "b.zip", "--data", tmp_path / "plain", "--json")
    assert json.loads(plain.stdout)["erased"] == 0
    assert scan(tmp_path / "plain", sought)[0] != []


def cli(*words):
    command = [sys.executable, "-c", "from endcap.cli import main; main()", *map(str, words)]
    environment = {**os.environ, "ENDCAP_SECRET": SECRET}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_receipt_is_bound_to_what_it_says(fresh):
    import msgspec

    erasure = erase(fresh, "ann")
    finish(fresh)
    service = fresh.installation.erasing.erasures
    genuine = fresh.run(service.get("default", erasure["id"]))
    assert service.is_genuine(genuine)
    for changed in ({"subject": "0" * 32}, {"verified_at": 1}, {"receipt": None}):
        assert not service.is_genuine(msgspec.structs.replace(genuine, **changed))


def test_exports_are_complete_in_json_and_csv(fresh):
    stock(fresh)
    many = [
        {"event_id": f"e{n}", "type": "view", "visitor": "ann", "product": PRODUCTS[n % 6]}
        for n in range(1_500)
    ]
    for start in range(0, 1_500, 500):
        fresh.send(*many[start : start + 500])
    fresh.send({"event_id": "s", "type": "search", "visitor": "ann", "query": "=1+1"})
    fresh.send({"event_id": "bad", "type": "view", "visitor": "ann", "product": ""})
    fresh.call("PUT", "/v1/visitors/ann/consent", {"analytics": "granted"})
    fresh.call("PUT", "/v1/visitors/ann/consent", {"analytics": "denied"})
    answer = fresh.get("/v1/visitors/ann/export")
    export = answer.json()
    expected = ["s", *(f"e{n}" for n in range(1_499, -1, -1))]
    assert [e["event_id"] for e in export["events"]] == expected
    assert json.loads(export["refused_events"][0]["payload"])["event_id"] == "bad"
    assert [c["consent"]["analytics"] for c in export["consent_history"]] == ["denied", "granted"]
    assert export["retention_days"] == {"events": 395, "served": 30, "letters": 14}
    rows = fresh.get("/v1/visitors/ann/export", format="csv").body.decode().splitlines()
    assert len(rows) == 1 + 1_501
    assert ",'=1+1," in rows[1]
    assert fresh.get("/v1/visitors/ann/export", format="xml").status == 422
    assert fresh.get("/v1/visitors/nobody/export").json()["events"] == []
