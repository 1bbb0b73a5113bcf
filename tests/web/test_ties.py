"""Products wanted alike stand in the order of their ids: live, after any build, after a start."""

import random
import time

from door import open_door
from endcap.core.times import DAY, HOUR, format_time
from endcap.fresh import system_clock

IDS = [f"p{n:02}" for n in range(12)]
BUYERS = 7


def bought_alike(door):
    """Each product by seven customers, all within a minute of yesterday's, in mixed order."""
    # Three hours are a step of the best sellers of 30 days: this minute does not touch its edges.
    begin = (system_clock() - DAY) // (3 * HOUR) * (3 * HOUR) + HOUR
    acts = [(product, buyer) for product in IDS for buyer in range(BUYERS)]
    random.Random(3).shuffle(acts)
    events = [
        {
            "event_id": f"{product}-{buyer}",
            "type": "purchase",
            "visitor": f"{product}-{buyer}",
            "time": format_time(begin + 700 * n),
            "products": [{"id": product, "quantity": 1, "price": "1.00"}],
        }
        for n, (product, buyer) in enumerate(acts)
    ]
    assert door.send(*events)["accepted"] == len(events)


def until_counted(door):
    """The best sellers once all purchases are in the live counts."""
    shown = {}
    end = time.monotonic() + 20
    while time.monotonic() < end:
        shown = door.get("/v1/recommendations/popular", count=12).json()["items"]
        counts = [r["counts"].get("buyers") for one in shown for r in one["reasons"]]
        if counts == [BUYERS] * len(IDS):
            break
        time.sleep(0.1)
    return [one["id"] for one in shown]


def test_ties_break_by_id_live_after_builds_and_after_a_start(tmp_path):
    with open_door(tmp_path, serving=True, build_every=0) as door:
        for product in random.Random(4).sample(IDS, len(IDS)):
            door.put_product(product, title=product, price="1.00")
        bought_alike(door)
        seen = [until_counted(door)]
        for n in range(2):
            door.build()
            seen.append(door.shown("popular", count=12))
            # Another day's click for every product, so that the snapshots are not the same.
            for product in IDS:
                door.send(
                    {
                        "event_id": f"look-{n}-{product}",
                        "type": "view",
                        "visitor": f"looker-{n}",
                        "products": [{"id": product}],
                    }
                )
            seen.append(door.shown("popular", count=12))
    with open_door(tmp_path) as door:
        seen.append(door.shown("popular", count=12))
    assert seen == [IDS] * len(seen)
