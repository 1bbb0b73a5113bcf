"""Log lines are one JSON object each, with ECS names, and hold nothing that was not named."""

import io
import json
import logging

import pytest

from endcap.telemetry.ecs import EcsFormatter
from endcap.telemetry.logs import DroppingQueueHandler, Logs


def line(message, *arguments, exc_info=None, **extra):
    record = logging.LogRecord("endcap.x", logging.INFO, "f.py", 1, message, arguments, exc_info)
    for name, value in extra.items():
        setattr(record, name, value)
    return EcsFormatter(role="recommend").format(record)


def test_the_fields_of_a_line():
    fields = json.loads(line("hello %s", "there", request_id="r-1", status=503))
    assert fields["message"] == "hello there"
    assert fields["log.level"] == "info"
    assert fields["ecs.version"].startswith("8.")
    assert fields["service.name"] == "endcap"
    assert fields["service.type"] == "recommend"
    assert fields["http.request.id"] == "r-1"
    assert fields["http.response.status_code"] == 503
    assert fields["@timestamp"].endswith("Z")


def test_what_is_not_named_is_not_written():
    text = line("x", visitor="canary-visitor", body={"a": "canary-body"}, token="canary-token")
    assert "canary" not in text


@pytest.mark.parametrize("text", ["a\nb", "a\r\nHTTP/1.1 200", "\x1b[31mred", 'quote"d', "\u2028"])
def test_a_message_stays_one_line(text):
    made = line("%s", text)
    assert "\n" not in made
    assert "\x1b" not in made
    assert json.loads(made)["message"] == text


def test_a_stack_trace_holds_no_values():
    def fails(secret):
        raise ValueError("bad")

    try:
        fails("canary-value")
    except ValueError as error:
        text = line("failed", exc_info=(type(error), error, error.__traceback__))
    fields = json.loads(text)
    assert fields["error.type"] == "builtins.ValueError"
    assert "in fails" in fields["error.stack_trace"]
    assert "canary" not in text


def test_a_hung_stream_never_blocks_and_drops_are_counted():
    import queue

    handler = DroppingQueueHandler(queue.Queue(3))
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, "m", (), None)
    for _ in range(10):
        handler.enqueue(record)
    assert handler.dropped == 7


def test_the_process_logs_go_where_they_should():
    stream = io.StringIO()
    before = logging.getLogger().handlers
    logs = Logs("info", "json", stream=stream)
    logs.start()
    try:
        logging.getLogger("endcap.test").info("written", extra={"count": 3})
        logging.getLogger("endcap.test").debug("left out")
    finally:
        logs.stop()
        logging.getLogger().handlers = before
    lines = [json.loads(one) for one in stream.getvalue().splitlines()]
    assert [one["message"] for one in lines] == ["written"]
    assert lines[0]["labels.count"] == 3


def test_what_libraries_say_at_their_lower_levels_is_not_written():
    """MongoDB's driver writes whole commands, with the events in them, at DEBUG."""
    stream = io.StringIO()
    before = logging.getLogger().handlers
    logs = Logs("debug", "json", stream=stream)
    logs.start()
    try:
        logging.getLogger("pymongo.command").debug("canary")
        logging.getLogger("botocore.endpoint").info("canary")
        logging.getLogger("pymongo").warning("worth knowing")
        logging.getLogger("endcap.x").debug("ours")
    finally:
        logs.stop()
        logging.getLogger().handlers = before
        logging.getLogger("endcap").setLevel(logging.NOTSET)
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages == ["worth knowing", "ours"]
