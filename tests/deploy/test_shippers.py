"""Configurations of log and metric shippers: they parse, and they name what the server really says.

None of these programs is packaged for Debian, so they were not run with them.
"""

import json
import logging
import re
from pathlib import Path

import pytest
import yaml

from door import open_door
from endcap.observed import Telemetry
from endcap.settings import read_settings
from endcap.telemetry.ecs import FIELDS, EcsFormatter

DEPLOY = Path(__file__).parents[2] / "deploy"
# Of ECS 8.11: the fields and groups that our lines use. `labels.*` is free for keywords.
ECS = {
    "@timestamp",
    "message",
    "ecs.version",
    "log.level",
    "log.logger",
    "service.name",
    "service.type",
    "error.type",
    "error.message",
    "error.stack_trace",
    "http.request.id",
    "http.request.method",
    "http.response.status_code",
    "event.action",
    "event.duration",
    "organization.id",
    "trace.id",
}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    """Names of the metrics that a server shows, with telemetry on."""
    with open_door(tmp_path_factory.mktemp("metrics")) as door:
        telemetry = Telemetry(read_settings(None, {}), door.installation.clock)
        door.send({"type": "view", "visitor": "v", "product": "p"})
        text = door.get("/metrics").body.decode()
        counts = telemetry.counts()
    assert counts == {("log", "dropped"): 0}
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | {
        "endcap_telemetry",
        "endcap_http_refused",
    }


def line(**extra):
    try:
        raise RuntimeError  # noqa: TRY301
    except RuntimeError as error:
        record = logging.LogRecord("endcap", 40, "f", 1, "x", (), None)
        record.exc_info = (RuntimeError, error, error.__traceback__)
    for name, value in extra.items():
        setattr(record, name, value)
    return json.loads(EcsFormatter().format(record))


def test_every_field_of_a_line_is_one_of_ecs():
    fields = line(**dict.fromkeys(FIELDS, "x"))
    assert fields.keys() >= set(FIELDS.values())
    assert {name for name in fields if not name.startswith("labels.")} <= ECS


def test_filebeat_takes_the_lines_as_they_are():
    content = yaml.safe_load((DEPLOY / "elastic" / "filebeat.yml").read_text())
    (source,) = content["filebeat.inputs"]
    parser = source["parsers"][0]["ndjson"]
    assert (parser["target"], parser["expand_keys"]) == ("", True)
    text = (DEPLOY / "elastic" / "logstash.conf").read_text()
    assert text.count("{") - text.count("\\{") == text.count("}")


def test_the_cloudwatch_agent_reads_our_times_and_metrics(metrics):
    from datetime import datetime

    folder = DEPLOY / "cloudwatch"
    content = json.loads((folder / "amazon-cloudwatch-agent.json").read_text())
    (source,) = content["logs"]["logs_collected"]["files"]["collect_list"]
    datetime.strptime(line()["@timestamp"], source["timestamp_format"])  # noqa: DTZ007
    prometheus = content["logs"]["metrics_collected"]["prometheus"]
    declared = prometheus["emf_processor"]["metric_declaration"]
    job = yaml.safe_load((folder / "prometheus.yaml").read_text())["scrape_configs"][0]
    assert re.search(declared[0]["label_matcher"], job["job_name"])
    named = [one.strip("^$") for each in declared for one in each["metric_selectors"]]
    assert {name.removesuffix("_total") for name in named} <= {
        name.removesuffix("_total") for name in metrics
    }


def test_datadog_reads_and_watches_metrics_that_exist(metrics):
    known = {name.removesuffix("_total") for name in metrics}
    content = yaml.safe_load((DEPLOY / "datadog" / "openmetrics.yaml").read_text())
    collected = set(content["instances"][0]["metrics"])
    assert collected <= known
    monitors = json.loads((DEPLOY / "datadog" / "monitors.json").read_text())
    alerts = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    for monitor in monitors:
        for name in re.findall(r"\bendcap_\w+", monitor["query"]):
            assert name.removesuffix(".count") in collected, name
        (alert,) = re.findall(r"Endcap\w+(?= in docs)", monitor["message"])
        assert f"alert: {alert}\n" in alerts


def test_the_collector_is_where_the_settings_say():
    content = yaml.safe_load((DEPLOY / "opentelemetry" / "collector.yaml").read_text())
    for pipeline in content["service"]["pipelines"].values():
        assert set(pipeline["receivers"]) <= content["receivers"].keys()
        assert set(pipeline["processors"]) <= content["processors"].keys()
        assert set(pipeline["exporters"]) <= content["exporters"].keys()
    endpoint = content["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert endpoint.endswith(":4318")


def test_every_alert_is_explained():
    alerts = re.findall(r"alert: (\w+)", (DEPLOY / "prometheus" / "alerts.yml").read_text())
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    assert len(alerts) >= 9
    assert [alert for alert in alerts if f"| {alert} |" not in page] == []


def test_the_metrics_of_alerts_exist(metrics):
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    named = set(re.findall(r"\bendcap_\w+", text))
    known = {name.removesuffix("_total") for name in metrics}
    assert {re.sub("_(total|bucket)$", "", name) for name in named} <= known
