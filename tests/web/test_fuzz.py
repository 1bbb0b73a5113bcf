"""At least 20,000 requests made from the OpenAPI document, over every operation: no 5xx."""

import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from fuzz import Fuzz

from door import open_door
from endcap.web.app import all_operations
from endcap.web.call import answer
from endcap.web.operations import Operation

WANTED = int(os.environ.get("ENDCAP_FUZZ_CASES", "20000"))


@pytest.fixture
def fast_folder():
    """On a disk in memory where there is one: durability is tested elsewhere."""
    home = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=home) as folder:
        yield Path(folder)


@pytest.mark.slow
def test_no_request_is_answered_with_5xx(fast_folder):
    with open_door(fast_folder) as door:
        for product in ("mug", "plate", "lamp"):
            door.put_product(product, title=product, price="1.00", stock=9)
        fuzz = Fuzz(door, chance=1)
        per_operation = WANTED / len(fuzz.operations)
        # Generating a case costs some ten times what a mutation does.
        whole, mutations = max(4, int(per_operation / 66)), 33
        fuzz.run(whole, mutations)
        rounds = 1
        while fuzz.total < WANTED and rounds < 4:
            rounds += 1
            fuzz.run(whole, mutations)
        kinds = {(one[0], one[1].partition(b"?")[0][:40], one[-1].status) for one in fuzz.failed}
        assert fuzz.failed == [], sorted(kinds)
        assert fuzz.total >= WANTED
        assert set(fuzz.counts) == {
            f"{op.method} {op.path.replace(':path}', '}')}" for op in all_operations()
        }
        # It reached what lies behind the checks, and every kind of refusal.
        assert fuzz.statuses[200] >= WANTED / 50
        assert {200, 202, 204, 400, 404, 415, 422} <= set(fuzz.statuses)
        # Whatever was taken can be built and served.
        door.run(door.installation.builds.finished("default"))
        door.build()
        assert door.get("/v1/recommendations/home").status == 200
        assert door.get("/v1/products", limit=1000).status == 200


class Planted(msgspec.Struct):
    """A body with one value that crashes."""

    count: int = 0


async def crash(call):
    planted = await call.decoded(Planted, 100_000)
    if planted.count > 2**40:
        raise ZeroDivisionError
    return answer({})


def test_a_planted_crash_is_found(fast_folder):
    operation = Operation(
        id="planted",
        method="POST",
        path="/v1/planted",
        handler=crash,
        scope="events:write",
        about="Crashes on large counts.",
        tag="Test",
        body=Planted,
    )
    with open_door(fast_folder, operations=lambda: [operation]) as door:
        fuzz = Fuzz(door, chance=1)
        fuzz.run(20, 40)
        assert fuzz.total >= 200
        assert fuzz.failed, fuzz.statuses
        assert {found[-1].status for found in fuzz.failed} == {500}
