"""A small shop told as a story: products, what visitors did on which day, and what is shown."""

from contextlib import contextmanager

from door import open_door
from endcap.core.times import DAY, HOUR, format_time

START = 1_772_452_800_000  # Monday, 2 March 2026, 12:00 UTC


class Story:
    """A door with a clock that the story moves."""

    def __init__(self, door, clock):
        self.door = door
        self.clock = clock
        self._event = 0

    @property
    def now(self):
        return self.clock[0]

    def later(self, days=0, hours=0):
        self.clock[0] += int(days * DAY + hours * HOUR)

    def put(self, id, **fields):
        self.door.put_product(id, **{"title": id.replace("-", " ").capitalize(), **fields})

    def change(self, id, **fields):
        answer = self.door.call("PATCH", f"/v1/products/{id}", fields)
        assert answer.status == 200, answer

    def event(self, kind, visitor, *products, days=0, hours=0, **fields):
        """One event of the past, as the API takes it."""
        self._event += 1
        made = {
            "event_id": f"e{self._event}",
            "type": kind,
            "visitor": visitor,
            "time": format_time(self.now - int(days * DAY + hours * HOUR)),
            **fields,
        }
        if kind in ("purchase", "refund", "impression"):
            made["products"] = [{"id": one} if isinstance(one, str) else one for one in products]
        elif products:
            made["product"] = products[0]
        return made

    def send(self, *events):
        for start in range(0, len(events), 1_000):
            receipt = self.door.send(*events[start : start + 1_000])
            assert receipt["rejected"] == 0, receipt
            assert receipt["duplicates"] == 0, receipt

    def does(self, kind, visitor, *products, **fields):
        self.send(self.event(kind, visitor, *products, **fields))

    def build(self):
        self.door.build()

    def slate(self, placement, **query):
        answer = self.door.get(f"/v1/recommendations/{placement}", **query)
        assert answer.status == 200, answer
        return answer.json()

    def items(self, placement, **query):
        return self.slate(placement, **query)["items"]

    def shown(self, placement, **query):
        """The ids that the strategies themselves put there, without what a fallback filled in."""
        return [i["id"] for i in self.items(placement, **query) if i["rung"] == "strategies"]

    def reasons(self, placement, **query):
        """The first reason of each product."""
        return {i["id"]: i["reasons"][0] for i in self.items(placement, **query)}

    def badges(self, placement, **query):
        return {
            i["id"]: {b["type"]: b for b in i["badges"]} for i in self.items(placement, **query)
        }

    def placement(self, name, *strategies, **fields):
        body = {"strategies": list(strategies), "filters": [{"filter": "available"}], **fields}
        answer = self.door.call("PUT", f"/v1/placements/{name}", body)
        assert answer.status == 200, answer


@contextmanager
def story_in(folder, **settings):
    clock = [START]
    with open_door(folder, clock=lambda: clock[0], **settings) as door:
        yield Story(door, clock)
