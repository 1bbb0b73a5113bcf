"""A build from the last snapshot and the new events is the full build, file by file."""

import numpy as np
import pytest
from test_kernels import NOW, SHOP, log_of, products_of

from endcap.build.archive import archive
from endcap.build.catalogue_export import export_catalogue
from endcap.build.parameters import BuildParameters
from endcap.build.run import BuildInput, build
from endcap.core.event import Event, Line
from endcap.core.times import MINUTE
from endcap.relations.snapshot import Snapshot, read_manifest

IDS = "abcdefgh"


def history(seed=4, count=200):
    rng = np.random.default_rng(seed)
    kinds = ["view", "view", "click", "cart_add", "purchase"]
    events = []
    for _ in range(count):
        kind = kinds[rng.integers(5)]
        bought = [IDS[i] for i in rng.permutation(8)[: 1 + rng.integers(3)]]
        held = bought if kind == "purchase" else bought[:1]
        when = {"days": float(rng.integers(1, 400)) / 10}
        events.append((kind, f"v{rng.integers(12)}", held, when))
    return log_of(*events)


def more(log, kind, number=12):
    log.append(
        [
            Event(
                shop=SHOP,
                source="later",
                event_id=f"{kind}{n}",
                type=kind,
                visitor=f"v{n % 5}",
                occurred_at=NOW + n * MINUTE,
                received_at=NOW + n * MINUTE,
                lines=(Line(IDS[n % 3]), Line(IDS[3 + n % 2])),
            )
            for n in range(number)
        ],
        [],
    )


def built(catalogue, log, folder, at, earlier=None):
    folder.mkdir()
    archive(log, folder.parent / "archive", SHOP, lambda done: None)
    exported = folder / "exported"
    exported.mkdir()
    export_catalogue(catalogue, SHOP, exported)
    job = BuildInput(
        shop=SHOP,
        archive=folder.parent / "archive",
        exported=exported,
        work=folder / "work",
        as_of=at,
        built_at=at,
        earlier=earlier,
    )
    parameters = BuildParameters(min_pairs=1, min_orders=1, min_lift=0.0)
    return build(job, parameters, lambda stage, done: None)


def shared(one, two):
    """The parts whose files two snapshots have in common on disk."""
    names = read_manifest(one).files
    same = {n for n in names if (two / n).exists() and (one / n).samefile(two / n)}
    return {name.partition(".")[0] for name in same}


BOUGHT = {"also_bought", "bought_together", "customers"}
SEEN = {"also_viewed", "sessions", "transitions"}


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("view", BOUGHT | {"similar"}),
        ("purchase", SEEN | {"similar"}),
        ("cart_add", BOUGHT | {"similar", "also_viewed"}),
        ("rate", BOUGHT | SEEN | {"similar"}),
    ],
)
def test_it_equals_a_full_build(kind, kept, tmp_path):
    catalogue, log = products_of(*({"id": i, "title": f"mug {i}"} for i in IDS)), history()
    first = built(catalogue, log, tmp_path / "first", NOW)
    more(log, kind)
    later = NOW + 60 * MINUTE
    after = built(catalogue, log, tmp_path / "after", later, earlier=first)
    full = built(catalogue, log, tmp_path / "full", later)
    assert shared(after, first) == kept
    assert shared(full, first) == set()
    assert read_manifest(after).files == read_manifest(full).files
    assert read_manifest(after).version == read_manifest(full).version
    Snapshot.open(after)


def test_a_new_product_or_other_parameters_take_nothing(tmp_path):
    log = history()
    first = built(products_of(*IDS), log, tmp_path / "first", NOW)
    after = built(products_of(*IDS, "i"), log, tmp_path / "after", NOW, earlier=first)
    assert shared(after, first) == set()


def test_a_damaged_file_is_counted_again(tmp_path):
    catalogue, log = products_of(*IDS), history()
    first = built(catalogue, log, tmp_path / "first", NOW)
    file = first / "also_bought.score.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    after = built(catalogue, log, tmp_path / "after", NOW, earlier=first)
    assert "also_bought" not in shared(after, first)
    assert "bought_together" in shared(after, first)
    Snapshot.open(after)


def test_a_snapshot_that_cannot_be_read_is_as_none(tmp_path):
    catalogue, log = products_of(*IDS), history(count=20)
    (tmp_path / "empty").mkdir()
    after = built(catalogue, log, tmp_path / "after", NOW, earlier=tmp_path / "empty")
    assert Snapshot.open(after).version
