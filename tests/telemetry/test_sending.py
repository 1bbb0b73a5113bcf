"""Traces, logs and errors sent to doubles of a collector, of Sentry and of AWS by the real server.

Whatever becomes of the other side, every request is answered as before and drops are counted.
"""

import json
import re
from collections import Counter

import pytest

from endcap.core.errors import ConfigurationError
from endcap.observed import headers_of
from endcap.settings import read_settings
from replica_group import Client, eventually
from server import command, serving
from sinks import Aws, Hung, Sink, attributes, closing, events_of, lines_of, spans_of

CANARY = "canary.person@example.com"
REQUESTS = 150
EVERY = {"ENDCAP_LOG_REQUESTS": "all", "ENDCAP_BUILD_EVERY": "0", "ENDCAP_LIMIT_ADDRESS": "0"}


def ask(client, count=REQUESTS):
    """Requests with a person in every place a person may be; the answers' status codes."""
    statuses = Counter()
    for n in range(count):
        kind = n % 3
        if kind == 0:
            status, _ = client.send(f"{CANARY}-{n}", CANARY, "p1", session=CANARY)
        elif kind == 1:
            status, _ = client.call("GET", f"/v1/recommendations/home?visitor={CANARY}")
        else:
            status, _ = client.call("GET", f"/v1/products/{CANARY}")
        statuses[status] += 1
    return statuses


ANSWERS = Counter({202: REQUESTS // 3, 200: REQUESTS // 3, 404: REQUESTS // 3})


def telemetry(client):
    """`endcap_telemetry_total` by destination and fate."""
    client.connection.request("GET", "/metrics")
    text = client.connection.getresponse().read().decode()
    found = re.findall(r'endcap_telemetry_total\{destination="(.+?)",fate="(.+?)"\} (\S+)', text)
    return {(where, fate): float(count) for where, fate, count in found}


@pytest.fixture
def sink():
    with closing(Sink()) as made:
        yield made


def test_a_collector_gets_every_traced_request_and_nobodys_data(tmp_path, sink):
    settings = EVERY | {
        "ENDCAP_OTEL_ENDPOINT": sink.url,
        "ENDCAP_OTEL_SHARE": "1",
        "ENDCAP_OTEL_HEADERS": "api-key=abc",
        "ENDCAP_ENVIRONMENT": "testing",
    }
    with serving(tmp_path, env=settings) as (_, url):
        client = Client(url)
        assert ask(client) == ANSWERS
        client.connection.close()
    spans = list(spans_of(sink.bodies("/v1/traces")))
    by_operation = Counter(span.name for span, _ in spans)
    assert by_operation["post_events"] == by_operation["get_product"] == REQUESTS // 3
    assert by_operation["get_recommendations"] == REQUESTS // 3
    span, about = spans[0]
    assert about["service.name"] == "endcap"
    assert about["deployment.environment.name"] == "testing"
    assert span.end_time_unix_nano > span.start_time_unix_nano
    assert attributes(span.attributes)["http.response.status_code"] in ANSWERS
    assert len({span.trace_id for span, _ in spans}) == len(spans)
    lines = [line for line in lines_of(sink.bodies("/v1/logs")) if line.trace_id]
    assert len(lines) >= REQUESTS
    assert {line.trace_id for line in lines} <= {span.trace_id for span, _ in spans}
    assert {headers["Api-Key"] for _, headers, _ in sink.kept} == {"abc"}
    for _, _, body in sink.kept:
        assert CANARY.encode() not in body


@pytest.mark.parametrize("kind", ["hung", "refused", "failing"])
def test_a_broken_destination_changes_no_answer(tmp_path, kind):
    other = Sink(status=503) if kind == "failing" else Hung()
    with closing(other):
        if kind == "refused":
            other.close()
        settings = EVERY | {
            "ENDCAP_OTEL_ENDPOINT": other.url,
            "ENDCAP_OTEL_SHARE": "1",
            "ENDCAP_SENTRY_DSN": other.url.replace("://", "://key@") + "/1",
            "ENDCAP_CLOUDWATCH_GROUP": "endcap",
            "AWS_ENDPOINT_URL": other.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        with serving(tmp_path, env=settings) as (server, url):
            client = Client(url)
            assert ask(client) == ANSWERS
            if kind != "hung":
                eventually(lambda: telemetry(client)["otel-traces", "dropped"] > 0)
            counts = telemetry(client)
            client.connection.close()
        assert server.process.returncode == 0
        assert counts["otel-traces", "sent"] == counts["cloudwatch", "sent"] == 0
        if kind != "hung":
            # Said once for each destination that was tried, not once a batch.
            said = Counter(re.findall(r"telemetry does not arrive: ([\w-]+)", server.output[1]))
            assert said["otel-traces"] == 1
            assert max(said.values()) == 1


def test_cloudwatch_gets_the_lines_of_the_log(tmp_path):
    import boto3

    with closing(Aws()) as aws:
        settings = EVERY | aws.environment | {"ENDCAP_CLOUDWATCH_GROUP": "/shop/endcap"}
        with serving(tmp_path, env=settings) as (_, url):
            client = Client(url)
            assert ask(client) == ANSWERS
            client.connection.close()
        logs = boto3.client(
            "logs",
            endpoint_url=aws.url,
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/shop/endcap")
        lines = [json.loads(one["message"]) for page in pages for one in page["events"]]
        logs.close()
    asked = [one for one in lines if one["log.logger"] == "endcap.requests"]
    assert len(asked) >= REQUESTS
    assert {one["event.action"] for one in asked} >= {"post_events", "get_recommendations"}
    assert all(one["ecs.version"] for one in lines)
    assert CANARY not in json.dumps(lines)


def test_sentry_gets_errors_without_texts(tmp_path, sink):
    # A store that goes away under the server: writing to a table that is not there any more.
    settings = EVERY | {"ENDCAP_SENTRY_DSN": sink.url.replace("://", "://key@") + "/7"}
    with serving(tmp_path, env=settings) as (_, url):
        client = Client(url)
        break_store(tmp_path)
        statuses = {client.send(f"{CANARY}{n}", CANARY, "p")[0] for n in range(5)}
        client.connection.close()
    assert statuses == {503}
    events = list(events_of(sink.bodies("/api/7/envelope/")))
    assert len(events) >= 5
    assert {event["transaction"] for event in events} >= {"post_events"}
    assert {event["level"] for event in events} == {"error"}
    assert all(event["release"].startswith("endcap@") for event in events)
    for _, headers, body in sink.kept:
        assert "sentry_key=key" in headers["X-Sentry-Auth"]
        assert CANARY.encode() not in body


def break_store(folder):
    import sqlite3

    (file,) = folder.glob("*.db") or folder.glob("**/*.db")
    with sqlite3.connect(file, timeout=30) as connection:
        connection.execute("ALTER TABLE events RENAME TO gone")
    connection.close()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("otel_endpoint", "ftp://x", "otel_endpoint"),
        ("otel_share", "2", "otel_share"),
        ("sentry_dsn", "http://127.0.0.1:1", "sentry_dsn"),
        ("otel_headers", "nonsense", "otel_headers"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(tmp_path, name, value, word):
    extra = {"ENDCAP_OTEL_ENDPOINT": "http://127.0.0.1:1"} if name == "otel_headers" else {}
    env = extra | {f"ENDCAP_{name.upper()}": value}
    ran = command("serve", "--port", 0, "--data", tmp_path, env=env)
    assert ran.returncode == 2
    assert word in ran.stderr
    assert "Traceback" not in ran.stderr


def test_headers_are_read():
    settings = read_settings(None, {}, {"otel_headers": "Api-Key=a=b, x = y"})
    assert headers_of(settings) == {"api-key": "a=b", "x": "y"}
    with pytest.raises(ConfigurationError):
        headers_of(read_settings(None, {}, {"otel_headers": "a"}))


def test_nothing_is_imported_while_it_is_off():
    code = (
        "import sys, endcap.serving, endcap.cli.commands; "
        "print([n for n in ('opentelemetry.proto', 'sentry_sdk', 'boto3') if n in sys.modules])"
    )
    ran = python(code)
    assert ran.stdout.strip() == "[]", ran.stderr


def test_a_missing_extra_is_named(tmp_path):
    for package, setting in (
        ("opentelemetry", {"ENDCAP_OTEL_ENDPOINT": "http://127.0.0.1:1"}),
        ("sentry_sdk", {"ENDCAP_SENTRY_DSN": "http://k@127.0.0.1:1/1"}),
        ("boto3", {"ENDCAP_CLOUDWATCH_GROUP": "x"}),
    ):
        code = (
            f"import sys; sys.modules['{package}'] = None; sys.argv = ['endcap', 'serve', "
            f"'--port', '0', '--data', {str(tmp_path)!r}]; from endcap.cli import main; main()"
        )
        ran = python(code, setting)
        assert ran.returncode == 2, ran.stderr
        assert "pip install 'endcap[" in ran.stderr


def python(code, env=None):
    import subprocess
    import sys

    from server import environment

    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(env or {}),
    )
