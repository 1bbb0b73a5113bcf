"""Events over HTTP: a verdict each, exactly once, nothing lost."""

import gzip
import json


def view(id, **fields):
    return {"event_id": id, "type": "view", "visitor": "v", "product": "mug", **fields}


def stored(door):
    return [e.event_id for e in door.installation.store.events.after("default", 0, 100_000)]


def test_each_event_gets_its_verdict_and_the_parts_add_up(fresh):
    sent = [view("a"), view("b"), view("a"), view("c", product=""), {"type": "view"}, 7]
    receipt = fresh.send(*sent)
    assert (receipt["accepted"], receipt["duplicates"], receipt["rejected"]) == (2, 1, 3)
    verdicts = receipt["results"]
    assert [v["index"] for v in verdicts] == list(range(6))
    assert [v["status"] for v in verdicts] == ["accepted", "accepted", "duplicate"] + [
        "rejected"
    ] * 3
    assert verdicts[3]["errors"][0]["pointer"] == "/product"
    assert verdicts[3]["event_id"] == "c"
    assert verdicts[4]["errors"][0]["pointer"] == "/visitor"
    assert stored(fresh) == ["a", "b"]


def test_what_is_rejected_is_kept_as_it_came_with_the_reason(fresh):
    fresh.send(view("a", product=""), {"type": "vew", "visitor": "v"})
    letters = fresh.installation.store.events.dead_letters("default", 0, 10)
    assert [letter.code for letter in letters] == ["id_empty", "not_allowed"]
    assert "/product" in letters[0].reason
    opened = fresh.installation.letters.opened(letters[1])
    assert json.loads(opened.payload) == {
        "type": "vew",
        "visitor": "v",
    }


def test_sending_again_counts_once(fresh):
    batch = [view(str(n)) for n in range(50)]
    assert fresh.send(*batch)["accepted"] == 50
    assert fresh.send(*batch, view("new"))["duplicates"] == 50
    assert len(stored(fresh)) == 51


def test_ids_that_look_alike_are_different_events(fresh):
    ids = ["a", "A", "a ", "\u00e9", "e\u0301"]
    assert fresh.send(*(view(one) for one in ids))["accepted"] == 5
    assert stored(fresh) == ids


def test_one_event_alone_and_a_bare_array_are_taken(fresh):
    assert fresh.post("/v1/events", view("one")).json()["accepted"] == 1
    assert fresh.post("/v1/events", [view("two"), view("three")]).json()["accepted"] == 2


def test_a_browsers_beacon_is_taken(fresh):
    body = json.dumps({"events": [view("beacon")]}).encode()
    answer = fresh.post("/v1/events", body, [("content-type", "text/plain;charset=UTF-8")])
    assert answer.status == 202
    assert answer.json()["accepted"] == 1


def test_gzip_is_taken(fresh):
    body = gzip.compress(json.dumps({"events": [view(str(n)) for n in range(100)]}).encode())
    answer = fresh.post("/v1/events", body, [("content-encoding", "gzip")])
    assert answer.json()["accepted"] == 100


def test_unknown_fields_are_named_in_a_warning_and_the_event_counts(fresh):
    receipt = fresh.send(view("a", pagetype="x"))
    assert receipt["accepted"] == 1
    assert "pagetype" in receipt["results"][0]["warnings"][0]


def test_without_an_event_id_the_same_content_counts_once(fresh):
    event = {"type": "view", "visitor": "v", "product": "mug", "time": "2026-01-01T00:00:00Z"}
    first, second = fresh.send(event), fresh.send(event)
    assert (first["accepted"], second["duplicates"]) == (1, 1)
    del event["time"]
    receipt = fresh.send(event)
    assert "sent again it would count again" in receipt["results"][0]["warnings"][0]


def test_a_wrong_clock_is_set_right_by_sent_at(tmp_path):
    from door import open_door

    now = 1_790_000_000_000
    with open_door(tmp_path, clock=lambda: now) as door:
        three_days = 3 * 86_400_000
        from endcap.core.times import format_time

        body = {
            "sent_at": format_time(now + three_days),
            "events": [view("a", time=format_time(now + three_days - 60_000))],
        }
        assert door.post("/v1/events", body).json()["accepted"] == 1
        event = door.installation.store.events.after("default", 0, 1)[0]
        assert event.occurred_at == now - 60_000
        assert event.received_at == now
        ahead = door.send(view("b", time=format_time(now + 10 * 60_000)))
        assert "time of arrival" in ahead["results"][0]["warnings"][0]
        assert door.send(view("c", time=format_time(now + 2 * three_days)))["rejected"] == 1


def test_a_batch_of_2500_is_taken_and_one_more_is_not(fresh):
    events = [view(str(n)) for n in range(2_501)]
    assert fresh.send(*events[:2_500])["accepted"] == 2_500
    answer = fresh.post("/v1/events", {"events": events})
    assert answer.status == 422
    assert answer.json()["errors"][0]["pointer"] == "/events"
    assert fresh.post("/v1/events", {"events": []}).status == 422


def test_every_type_of_event_is_taken(fresh):
    lines = {"products": [{"id": "mug", "quantity": 2, "price": "9.90"}]}
    one = {"product": "mug"}
    bodies = {
        "view": one,
        "search": {"query": "red mug"},
        "cart_add": one,
        "cart_remove": one,
        "wishlist_add": one,
        "purchase": lines,
        "refund": lines,
        "rate": {**one, "rating": 4.5},
        "impression": {"products": [{"id": "mug"}, {"id": "rug"}]},
        "click": {**one, "token": "t"},
        "dismiss": one,
    }
    events = [{"event_id": k, "type": k, "visitor": "v", **v} for k, v in bodies.items()]
    assert fresh.send(*events)["accepted"] == 11
    # Our own kinds cannot be sent from outside.
    assert fresh.send({"event_id": "s", "type": "served", "visitor": "v"})["rejected"] == 1


def test_money_is_kept_exactly_in_minor_units(fresh):
    fresh.send(
        {
            "event_id": "o",
            "type": "purchase",
            "visitor": "v",
            "currency": "JPY",
            "products": [{"id": "a", "price": 1200}, {"id": "b", "price": "1200"}],
        },
        {
            "event_id": "p",
            "type": "purchase",
            "visitor": "v",
            "currency": "EUR",
            "products": [{"id": "a", "price": 0.1}, {"id": "b", "price": "19.99"}],
        },
    )
    yen, euro = fresh.installation.store.events.after("default", 0, 10)
    assert [line.price for line in yen.lines] == [1200, 1200]
    assert [line.price for line in euro.lines] == [10, 1999]


def test_a_visitors_id_is_nowhere_in_the_store(tmp_path):
    from door import open_door

    canary = "canary.visitor@example.org"
    with open_door(tmp_path) as door:
        door.put_product("mug", title="Mug", stock=1)
        door.send(view("a", visitor=canary, session=f"{canary}-session"))
        door.shown("home", visitor=canary, session=f"{canary}-session")
        door.run(door.installation.served.flush())
        door.build()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "endcap.db" for file in files)
    assert [file for file in files if canary.encode() in file.read_bytes()] == []
