"""`endcap doctor`: each thing that can be wrong is found, with what to do about it."""

import json
import os
import socket

import pytest

from endcap.settings import read_settings
from endcap.surroundings import look_around
from server import command


def findings(folder, **settings):
    env = {f"ENDCAP_{name.upper()}": str(value) for name, value in settings.items()}
    ran = command("doctor", "--data", folder, "--json", env=env)
    assert "Traceback" not in ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def found(all_of_them, words):
    (one,) = [one for one in all_of_them if words in one["text"]]
    return one["level"], one["advice"]


def test_a_sound_machine_has_nothing_wrong(tmp_path):
    code, all_of_them = findings(tmp_path)
    assert code == 0
    assert {one["level"] for one in all_of_them} <= {"right", "hint"}
    assert found(all_of_them, "its clock agrees") == ("right", "")


@pytest.mark.parametrize(
    ("settings", "words", "advice"),
    [
        ({"store_url": "postgresql://127.0.0.1:{port}/x"}, "store_url", "running"),
        ({"store_url": "mysql://127.0.0.1:{port}/x"}, "store_url", "running"),
        ({"cache_url": "redis://127.0.0.1:{port}/0"}, "cache_url", "start it"),
        ({"otel_endpoint": "http://127.0.0.1:{port}"}, "otel_endpoint", "start it"),
        ({"sentry_dsn": "http://k@127.0.0.1:{port}/1"}, "sentry_dsn", "start it"),
        ({"sentry_dsn": "http://127.0.0.1/1"}, "sentry_dsn", "does not start"),
    ],
)
def test_what_is_out_of_reach_is_wrong_and_says_what_to_do(tmp_path, settings, words, advice):
    port = closed_port()
    made = {name: value.format(port=port) for name, value in settings.items()}
    code, all_of_them = findings(tmp_path, **made)
    assert code == 1
    level, text = found(all_of_them, words)
    assert level == "wrong"
    assert advice in text
    assert all("\n" not in one["text"] for one in all_of_them)


def test_a_misspelt_variable_is_pointed_at(tmp_path):
    _, all_of_them = findings(tmp_path, stor_url="x")
    assert found(all_of_them, "ENDCAP_STOR_URL") == ("hint", "did you mean ENDCAP_STORE_URL?")


def look(folder, clock=None, **settings):
    from endcap.fresh import system_clock

    made = read_settings(None, {}, {"data": str(folder), **settings})
    return {one.text: one for one in look_around(made, {}, clock or system_clock)}


def test_a_clock_that_is_off_is_wrong(tmp_path):
    from endcap.fresh import system_clock

    texts = look(tmp_path, lambda: system_clock() - 90_000)
    (wrong,) = [one for one in texts.values() if one.level == "wrong"]
    assert "90 s apart" in wrong.text
    assert "NTP" in wrong.advice


def test_events_from_the_future_are_wrong(tmp_path):
    from pathlib import Path

    from endcap.core.event import Event
    from endcap.fresh import system_clock
    from endcap.storage.stores import open_store

    store = open_store("", Path(tmp_path))
    at = system_clock() + 3_600_000
    one = {"shop": "default", "source": "t", "event_id": "e", "type": "view", "visitor": "v"}
    store.events.append([Event(**one, occurred_at=at, received_at=at)], [])
    store.close()
    code, all_of_them = findings(tmp_path)
    assert code == 1
    assert found(all_of_them, "in the future")[0] == "wrong"


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path):
    if os.geteuid():
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    else:
        folder = tmp_path / "file"
        folder.write_text("root may write everywhere, but not below a file")
    texts = look(folder)
    (wrong,) = [one for one in texts.values() if one.level == "wrong"]
    assert "cannot be written" in wrong.text
    assert "chown" in wrong.advice


def test_a_server_in_public_is_told_of_proxies(tmp_path):
    texts = look(tmp_path, public_url="https://x.example.com", auth="required")
    assert any("trusted_proxies" in one.advice for one in texts.values())
