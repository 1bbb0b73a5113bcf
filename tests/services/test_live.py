"""Swapping snapshots and changing the catalogue under load: no request fails."""

import asyncio

import msgspec
import pytest

from door import open_door
from endcap.core.errors import VersionConflict
from endcap.core.request import RecommendationRequest


@pytest.fixture
def shop(tmp_path):
    with open_door(tmp_path) as door:
        for product in "abcdef":
            door.put_product(product, title=product, stock=9, price="1.00")
        door.send(
            *(
                {
                    "event_id": f"o-{n}",
                    "type": "purchase",
                    "visitor": f"v-{n}",
                    "products": [{"id": "a"}, {"id": "bcdef"[n % 5]}],
                }
                for n in range(20)
            )
        )
        door.build()
        yield door


def ask(door):
    request = RecommendationRequest(placement="product", seed=["a"], count=4)
    return door.installation.recommender.recommend("default", request)


def test_builds_publish_under_load_and_no_request_fails(shop):
    async def scene():
        builds = shop.installation.builds
        versions, asked = set(), 0
        for _ in range(4):
            await builds.start("default")
            while builds.status("default").state == "running":
                slate = await ask(shop)
                assert [item.id for item in slate.items]
                versions.add(slate.versions["snapshot"])
                asked += 1
                # Without a pause all that was served in one build is the work of the next.
                await asyncio.sleep(0.001)
            assert builds.status("default").state == "done"
        assert asked >= 100
        versions.add((await ask(shop)).versions["snapshot"])
        assert len(versions) >= 3

    shop.run(scene())


def test_only_the_newest_snapshots_are_kept(shop):
    for _ in range(5):
        shop.build()
    home = shop.installation.settings.folder / "snapshots" / b"default".hex()
    assert len([f for f in home.iterdir() if f.name.isdigit()]) == 3


@pytest.mark.parametrize("harm", ["cut", "flipped", "missing", "manifest"])
def test_a_torn_snapshot_is_refused_and_the_last_good_one_stays(shop, tmp_path, harm):
    home = shop.installation.settings.folder / "snapshots" / b"default".hex()
    good = home / (home / "CURRENT").read_text().strip()
    before = shop.run(ask(shop))
    torn = tmp_path / "torn"
    torn.mkdir()
    for file in good.iterdir():
        (torn / file.name).write_bytes(file.read_bytes())
    victim = torn / "also_bought.partner.npy"
    content = victim.read_bytes()
    if harm == "cut":
        victim.write_bytes(content[:-4])
    elif harm == "flipped":
        victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif harm == "missing":
        victim.unlink()
    else:
        (torn / "manifest.json").write_bytes(b"{")
    live = shop.installation.live
    assert shop.run(live.swap("default", torn)) is False
    assert live.refused
    after = shop.run(ask(shop))
    assert [item.id for item in after.items] == [item.id for item in before.items]
    assert after.versions == before.versions
    assert shop.get("/readyz").json()["snapshot_refused"]
    shop.build()
    assert shop.get("/readyz").json()["snapshot_refused"] is None


def test_many_changes_of_one_product_end_in_the_columns_as_in_the_store(shop):
    async def scene():
        catalogue = shop.installation.catalogue

        async def change(n):
            body = msgspec.json.encode({"stock": n})
            while True:
                try:
                    return await catalogue.patch("default", "a", body, None)
                except VersionConflict:
                    await asyncio.sleep(0)

        await asyncio.gather(*(change(n) for n in range(40)))
        columns = shop.installation.live.state("default").columns
        stored = shop.installation.store.catalogue.get("default", "a")
        assert columns.body(columns.row("a")) == stored.body
        assert columns.version[columns.row("a")] == stored.version == 41

    shop.run(scene())


def test_a_change_whose_caller_went_away_is_still_in_the_columns(shop):
    async def scene():
        catalogue = shop.installation.catalogue
        task = asyncio.create_task(catalogue.put("default", "a", b'{"stock":77}', None))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(200):
            await asyncio.sleep(0.005)
            stored = shop.installation.store.catalogue.get("default", "a")
            if stored.version == 2:
                break
        await asyncio.sleep(0.05)
        columns = shop.installation.live.state("default").columns
        assert columns.version[columns.row("a")] == stored.version

    shop.run(scene())
