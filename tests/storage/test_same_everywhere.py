"""The same batch gets the same verdicts, and leaves the same log, on every store."""

import asyncio
import itertools

import msgspec
import pytest
from ids import EVERY

from endcap.access.sealing import Sealer
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.services.collect import Collector
from endcap.services.gate import open_gate
from endcap.services.group_commit import GroupCommitter
from endcap.services.letters import Letters
from endcap.storage.memory_log import MemoryEventLog
from endcap.storage.visitors import MemoryVisitors

SHOP = "default"
NOW = 1_700_000_000_000
PSEUDONYMS = Pseudonyms(b"k" * 32)
LETTERS = Letters(Sealer(b"k" * 32, "letters"), PSEUDONYMS)
POISON = [
    r'"a\u0000b"',
    r'"\ud800"',
    r'"a\nb"',
    r'"\u0085"',
    '""',
    '" "',
    '"' + "x" * 200 + '"',
    '"' + "x" * 201 + '"',
    '"' + "\U0001f380" * 200 + '"',
    '"$ne"',
    '"a.b"',
    '{"$ne": null}',
    '{"$gt": ""}',
    "9223372036854775808",
    "NaN",
    "1e400",
    "null",
    "true",
    r'"\"; DROP TABLE events; --"',
    r'"%_\\"',
]
FIELDS = ("event_id", "visitor", "session", "product", "query", "order", "token", "currency")
NUMBERS = ("9223372036854775807", "9223372036854775808", "-1", "0", "1e400", "NaN", "1.5", '"7"')


def bodies():
    for field, value in itertools.product(FIELDS, POISON):
        given = {"type": '"purchase"', "visitor": '"v"', "product": '"p"', "event_id": '"e"'}
        given[field] = value
        inner = ", ".join(f'"{name}": {text}' for name, text in given.items())
        yield f'{{"events": [{{{inner}}}, {{"type": "view", "visitor": "v", "product": "q"}}]}}'
    for field, value in itertools.product(("quantity", "price", "rating"), NUMBERS):
        event = f'{{"type": "purchase", "visitor": "v", "product": "p", "{field}": {value}}}'
        yield f'{{"events": [{event}]}}'
    yield r'{"events": [{"type": "view", "visitor": "v", "product": "p", "\u0000": 1}]}'
    for one in EVERY:
        event = {"type": "view", "visitor": one, "product": one, "event_id": one, "session": one}
        yield msgspec.json.encode({"events": [event]}).decode()


async def verdicts(log):
    """What the collector answers to each body, and the log it leaves."""
    committer = GroupCommitter(log)
    numbers = itertools.count()
    collector = Collector(
        committer,
        MemoryVisitors(log),
        PSEUDONYMS,
        lambda: NOW,
        lambda: f"id{next(numbers)}",
        "EUR",
        open_gate(lambda: NOW),
        LETTERS,
    )
    answers = []
    for body in bodies():
        try:
            receipt = await collector.collect(SHOP, "api", body.encode())
            sent = len(receipt.results)
            assert receipt.accepted + receipt.duplicates + receipt.rejected == sent
            answers.append(msgspec.to_builtins(receipt))
        except Exception as error:
            answers.append((getattr(error, "code", repr(error)), str(error)))
    await committer.stop()
    return answers


@pytest.fixture(scope="module")
def expected():
    log = MemoryEventLog()
    return asyncio.run(verdicts(log)), kept(log)


def kept(log):
    events = [msgspec.structs.replace(e, seq=0) for e in log.after(SHOP, 0, 10_000)]
    sealed = [msgspec.structs.replace(d, seq=0) for d in log.dead_letters(SHOP, 0, 10_000)]
    return events, [LETTERS.opened(letter) for letter in sealed]


def test_every_store_gives_the_verdicts_of_the_reference(store, expected):
    answers = asyncio.run(verdicts(store.events))
    events, letters = kept(store.events)
    assert answers == expected[0]
    assert events == expected[1][0]
    assert letters == expected[1][1]
    assert len(answers) >= 200
    assert len(events) >= 100
    assert len(letters) >= 60
    # The reference itself refuses only what it says, never with an error of the store.
    assert not [a for a in answers if isinstance(a, tuple) and a[0] == "store_unavailable"]
