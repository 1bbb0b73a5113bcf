"""Errors forced in each store and in each background job, with a person in their texts: what the
server prints, sends to a collector and to Sentry has none of it."""

import io
import logging

import pytest
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from endcap.core.errors import NotFound, StoreUnavailable
from endcap.core.failures import described, own_words, said
from endcap.telemetry.logs import Logs
from endcap.telemetry.otlp import Otlp
from endcap.telemetry.sentry import Sentry
from endcap.telemetry.shipping import line_of
from sinks import Sink, closing, events_of, lines_of

PERSON = "canary.person@example.com"
NEEDLES = (PERSON, "canary", "4111111111111111")
STATEMENT = "INSERT INTO events VALUES (?)"


def driver_errors():
    """What each driver says when it is given a person it does not like."""
    import psycopg
    import pymongo.errors
    import pymysql
    from pysqlite3 import dbapi2

    detail = f"Key (event_id)=({PERSON}) already exists."
    yield psycopg.errors.UniqueViolation(f'duplicate key "events_pkey"\nDETAIL:  {detail}\n')
    yield psycopg.errors.InvalidTextRepresentation(f'invalid input for integer: "{PERSON}"')
    yield pymysql.err.IntegrityError(1062, f"Duplicate entry '{PERSON}-4111111111111111' for key")
    yield pymysql.err.DataError(1366, f"Incorrect string value: '{PERSON}' it's 'x' for column")
    yield pymongo.errors.DuplicateKeyError(f'E11000 dup key: {{ visitor: "{PERSON}" }}', 11000)
    yield dbapi2.IntegrityError(f"malformed value '{PERSON}")


@pytest.mark.parametrize("error", list(driver_errors()), ids=lambda error: type(error).__module__)
def test_a_drivers_message_is_said_without_its_values(error):
    text = said(error)
    assert text
    assert [needle for needle in NEEDLES if needle in text] == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(28, "No space left on device"), "28, No space left on device"),
        (RuntimeError("database or disk is full"), "database or disk is full"),
        (ValueError(), "builtins.ValueError"),
        (None, "no cause given"),
    ],
)
def test_what_helps_is_kept(error, text):
    assert said(error) == text


def failures():
    for driver in driver_errors():
        for kind in (IntegrityError, DataError, OperationalError):
            yield kind(STATEMENT, {"visitor": PERSON}, driver)
    yield KeyError(PERSON)
    yield NotFound(f"{PERSON} is unknown")
    yield UnicodeDecodeError("utf-8", PERSON.encode(), 0, 1, PERSON)


def raised(failure):
    """A failure as a job meets it: caught, and raised again with another text on top."""
    person = PERSON  # a local variable, as every frame has some
    try:
        try:
            raise failure  # noqa: TRY301
        except BaseException as error:
            raise RuntimeError(f"while looking after {person}") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_log_tells_kind_and_place_only(form):
    stream = io.StringIO()
    before = logging.getLogger().handlers
    logs = Logs("debug", form, stream=stream)
    logs.start()
    count = 0
    try:
        for failure in failures():
            logging.getLogger("endcap.test").error("it failed", exc_info=raised(failure))
            count += 1
    finally:
        logs.stop()
        logging.getLogger().handlers = before
    text = stream.getvalue()
    assert count == 21
    assert text.count("it failed") == count
    assert text.count("test_failures.py") >= count
    assert "IntegrityError" in text
    assert [needle for needle in NEEDLES if needle in text] == []


def records():
    for failure in failures():
        error = raised(failure)
        made = logging.LogRecord("endcap.x", logging.ERROR, "f.py", 1, "it failed", (), None)
        made.exc_info = (type(error), error, error.__traceback__)
        yield made
        made = logging.LogRecord("endcap.x", logging.ERROR, "f.py", 1, "it failed", (), None)
        made.failure, made.request_id, made.visitor = error, "r-1", PERSON
        yield made


def test_sentry_and_a_collector_are_told_kind_and_place_only():
    with closing(Sink()) as sink:
        lines = [line_of(record) for record in records()]
        Otlp(sink.url, {}, {"service.name": "x"}).send_lines(lines)
        Sentry(sink.url.replace("://", "://key@") + "/1", "endcap@1", "", "all").send(lines)
        sent = list(events_of(sink.bodies("/api/1/envelope/")))
        logged = list(lines_of(sink.bodies("/v1/logs")))
        bodies = b"\n".join(body for _, _, body in sink.kept)
    assert len(sent) == len(logged) == len(lines) == 42
    for event in sent:
        values = event["exception"]["values"]
        assert values[-1]["type"] == "RuntimeError"
        frames = values[-1]["stacktrace"]["frames"]
        assert frames[-1]["function"] == "raised"
        assert all("vars" not in frame and "context_line" not in frame for frame in frames)
    assert {event["environment"] for event in sent} == {"production"}
    for needle in NEEDLES:
        assert needle.encode() not in bodies


def test_only_our_own_words_about_the_server_are_kept():
    assert own_words(StoreUnavailable("the store is away")) == "the store is away"
    assert own_words(ValueError("x")) == ""
    assert "ValueError" in described(ValueError("x"))


def test_a_value_no_store_can_keep_is_not_quoted_in_the_answer():
    import asyncio

    from endcap.services.group_commit import GroupCommitter

    class Log:
        def append(self, events, dead):
            raise DataError(STATEMENT, {"visitor": PERSON}, ValueError(PERSON))

    async def submit():
        committer = GroupCommitter(Log())
        with pytest.raises(StoreUnavailable) as caught:
            await committer.submit([object()], [])
        await committer.stop()
        return caught.value

    error = asyncio.run(submit())
    assert "DataError" in error.detail
    assert PERSON not in error.detail
