"""What Prometheus scrapes: counts that are right, labels that stay few."""

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from endcap.web.app import all_operations
from server import serving

RULES = Path(__file__).parents[2] / "deploy/prometheus"


def samples(door):
    answer = door.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))), 0)


def test_requests_and_events_are_counted(fresh):
    fresh.put_product("a", title="A")
    before = samples(fresh)
    for _ in range(3):
        fresh.get("/v1/recommendations/popular")
    fresh.get("/v1/recommendations/nothing-of-this-name")
    event = {"event_id": "1", "type": "view", "visitor": "v", "product": "a"}
    fresh.call("POST", "/v1/events", {"events": [event, event, {"type": "view"}]})
    after = samples(fresh)

    def grown(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    one = "endcap_http_requests_total"
    assert grown(one, operation="get_recommendations", status="2xx") == 3
    assert grown(one, operation="get_recommendations", status="4xx") == 1
    assert grown("endcap_http_request_seconds_count", operation="get_recommendations") == 4
    for verdict in ("accepted", "duplicate", "rejected"):
        assert grown("endcap_events_total", verdict=verdict) == 1
    assert value(after, "endcap_products") == 1
    assert value(after, "endcap_snapshot_age_seconds") == -1


def test_labels_stay_few_whatever_is_asked(fresh):
    for n in range(50):
        fresh.get(f"/v1/recommendations/made-up-{n}")
        fresh.get(f"/nowhere/{n}")
    known = {operation.id for operation in all_operations()} | {"other"}
    labels = {dict(key).get("operation") for _, key in samples(fresh)} - {None}
    assert labels <= known


@pytest.mark.parametrize(
    "command", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]]
)
def test_the_alert_rules_are_right(command):
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "promtool is missing"
        pytest.skip("promtool is not here")
    done = subprocess.run(
        [promtool, *command], cwd=RULES, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_the_rules_exists(tmp_path):
    # What a process counts of its connections and of telemetry is there in a real one only.
    with serving(tmp_path, env={"ENDCAP_OTEL_ENDPOINT": "http://127.0.0.1:9"}) as (_, url):
        urllib.request.urlopen(f"{url}/v1/recommendations/popular").read()
        text = urllib.request.urlopen(f"{url}/metrics").read().decode()
    names = {
        sample.name for family in text_string_to_metric_families(text) for sample in family.samples
    }
    used = set(re.findall(r"endcap_[a-z_]+", (RULES / "alerts.yml").read_text()))
    assert len(used) >= 8
    assert used <= names
