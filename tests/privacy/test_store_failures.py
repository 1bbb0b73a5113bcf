"""Each real store made to fail while given a person: its driver quotes the person, we do not."""

import asyncio
import io
import logging

import pytest

from endcap.core.errors import StoreUnavailable
from endcap.core.event import Event
from endcap.core.failures import chain
from endcap.services.group_commit import GroupCommitter
from endcap.storage.stores import open_store
from endcap.telemetry.logs import Logs

PERSON = "canary.person@example.com"


def event(name):
    return Event(
        shop="default",
        source="t",
        event_id=name,
        type="view",
        visitor=PERSON,
        session=PERSON,
        occurred_at=1,
        received_at=1,
    )


def break_store(kind, url, store):
    """Make the store refuse a second event of the same visitor in its driver's own words."""
    store.events.append([event("first")], [])
    if kind == "mongodb":
        from pymongo import MongoClient

        with MongoClient(url) as client:
            rule = {"visitor": {"$ne": PERSON}}
            client.get_default_database().command("collMod", "events", validator=rule)
        return
    from sqlalchemy import text

    if kind == "sqlite":
        message = """'bad value "' || NEW.visitor || '"'"""
        trigger = f"BEGIN SELECT RAISE(ABORT, {message}); END"
        with store.write() as connection:
            connection.exec_driver_sql(f"CREATE TRIGGER no BEFORE INSERT ON events {trigger}")
        return
    with store.engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_each ON events (visitor)"))


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb", "mongodb"])
def test_a_store_that_fails_names_nobody(request, tmp_path, kind, form):
    url = ""
    if kind != "sqlite":
        servers = request.getfixturevalue("servers")
        url = servers[kind].create(f"failing_{form}")
    store = open_store(url, tmp_path)
    stream, before = io.StringIO(), logging.getLogger().handlers
    logs = Logs("debug", form, stream=stream)
    try:
        break_store(kind, url, store)
        error = asyncio.run(refused(store))
        logs.start()
        logging.getLogger("endcap.test").error("it failed", exc_info=error)
        logging.getLogger("endcap.test").warning("it has to wait: %s", error.detail)
    finally:
        logs.stop()
        logging.getLogger().handlers = before
        store.close()
    # The control: what the driver said would have told.
    assert any(PERSON in str(one) for one in chain(error))
    assert "it failed" in stream.getvalue()
    assert "StoreUnavailable" in stream.getvalue()
    assert PERSON not in stream.getvalue() + error.detail


async def refused(store):
    committer = GroupCommitter(store.events)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await committer.submit([event("second")], [])
    finally:
        await committer.stop()
    return caught.value
