"""A log made by hand for tests of reports: a few lines read as a story of what happened."""

from itertools import count

from endcap.core.event import Event, Line, Origin, Served
from endcap.core.times import DAY
from endcap.storage.memory_log import MemoryEventLog

SHOP = "default"
START = 1_700_006_400_000 - 1_700_006_400_000 % DAY  # midnight


class Story:
    """Writes events into a log; each method returns the token or the event's id."""

    def __init__(self):
        self.log = MemoryEventLog()
        self._numbers = count(1)

    def event(self, type, visitor, products=(), at=0, **fields):
        number = next(self._numbers)
        lines = tuple(Line(p) if isinstance(p, str) else Line(*p) for p in products)
        fields.setdefault("event_id", f"e{number}")
        fields.setdefault("source", "api")
        if any(line.price is not None for line in lines):
            fields.setdefault("currency", "EUR")
        self.log.append(
            [
                Event(
                    shop=SHOP, type=type, visitor=visitor, lines=lines,
                    occurred_at=START + at, received_at=START + at, **fields,
                )
            ],
            [],
        )  # fmt: skip
        return fields["event_id"]

    def serve(self, visitor, products, at=0, placement="product", **fields):
        slots = fields.pop("slots", [("also_bought",)] * len(products))
        detail = {
            name: fields.pop(name)
            for name in ("experiment", "variant", "fallback", "segments", "micros")
            if name in fields
        }
        token = fields.pop("token", f"t{next(self._numbers)}")
        served = Served(slots=tuple(Origin(*self._origin(s)) for s in slots), **detail)
        self.event(
            "served", visitor, products, at, source="endcap", event_id=token, token=token,
            placement=placement, served=served, **fields,
        )  # fmt: skip
        return token

    def _origin(self, slot):
        return slot if isinstance(slot[0], tuple) else (slot, ())
