"""The synthetic shop: the same seed gives the same shop, and it has the skew it says it has."""

import json

import duckdb
import numpy as np
import pytest

from endcap.build.archive import COLUMNS, archive, parts, read_state
from endcap.core.ids import DEFAULT_SHOP
from endcap.core.times import DAY
from endcap.ingest.formats.events import read_events
from endcap.ingest.products import canonical, checked
from endcap.ingest.pseudonyms import Pseudonyms
from endcap.storage.sql.sqlite import SqliteStore
from synthetic.catalogue import make_catalogue, products
from synthetic.events import CART_ADD, PURCHASE, VIEW, Lines, make_events, make_plan
from synthetic.shop import SECRET, ShopSize, make_shop

UNTIL = 1_790_000_000_000
EVENTS = 20_000


def all_lines(catalogue, plan):
    stretches = list(make_events(catalogue, plan))
    return Lines(*(np.concatenate(columns) for columns in zip(*stretches, strict=True)))


@pytest.fixture(scope="module")
def catalogue():
    return make_catalogue(2_000, 3)


@pytest.fixture(scope="module")
def lines(catalogue):
    return all_lines(catalogue, make_plan(EVENTS, UNTIL, 3))


def test_the_same_seed_gives_the_same_shop(catalogue, lines):
    again = all_lines(make_catalogue(2_000, 3), make_plan(EVENTS, UNTIL, 3))
    assert all(np.array_equal(a, b) for a, b in zip(lines, again, strict=True))
    other = all_lines(catalogue, make_plan(EVENTS, UNTIL, 4))
    assert not np.array_equal(lines.product, other.product)


def test_there_are_as_many_events_as_asked_in_time(lines):
    assert lines.event[-1] == EVENTS - 1
    assert (np.diff(lines.event) >= 0).all()
    assert lines.moment.max() <= UNTIL
    assert lines.moment.min() >= UNTIL - 366 * DAY
    kinds = np.bincount(lines.kind, minlength=3)
    assert kinds[VIEW] > 5 * kinds[CART_ADD] > 5 * kinds[PURCHASE] > 0


def test_few_products_and_visitors_make_most_of_it(lines):
    looks = np.sort(np.bincount(lines.product[lines.kind == VIEW], minlength=2_000))[::-1]
    assert 0.4 < looks[:200].sum() / looks.sum() < 0.8
    visits = np.sort(np.bincount(lines.visitor))[::-1]
    assert visits[: len(visits) // 100].sum() > 0.05 * visits.sum()


def test_products_are_such_as_the_api_takes(catalogue):
    for product in list(products(catalogue))[:500]:
        before = canonical(product)
        assert canonical(checked(product, None, "EUR")) == before


def test_the_archive_is_laid_out_as_the_log_is_archived(tmp_path):
    size = ShopSize(300, 3_000, logged=3_000, seed=2)
    about = make_shop(size, tmp_path / "made", UNTIL, lambda _: None)
    home = tmp_path / "made" / "archive" / f"shop={DEFAULT_SHOP.encode().hex()}"
    store = SqliteStore(tmp_path / "made")
    try:
        state = archive(store.events, tmp_path / "again", DEFAULT_SHOP, lambda _: None)
        assert store.events.last(DEFAULT_SHOP) == 3_000
    finally:
        store.close()
    assert state == read_state(home)
    assert about.rows == state.rows
    rows = f"SELECT {', '.join(COLUMNS)} FROM read_parquet(?) ORDER BY seq, line"
    with duckdb.connect() as connection:
        ours, theirs = (
            connection.execute(rows, [parts(folder)]).fetchall()
            for folder in (home, tmp_path / "again")
        )
    assert ours == theirs
    known = {Pseudonyms(bytes.fromhex(SECRET)).visitor(DEFAULT_SHOP, f"v{n}") for n in range(250)}
    assert {row[5] for row in ours} <= known


def test_the_ndjson_can_be_imported(tmp_path):
    from generate import options_of, write_ndjson

    write_ndjson(
        options_of(["--ndjson", "--out", str(tmp_path), "--products", "50", "--events", "400"]),
        UNTIL,
    )
    with (tmp_path / "events.ndjson").open("rb") as stream:
        rows = list(read_events(stream, "ndjson"))
    assert len(rows) == 400
    assert not [row for row in rows if row.problems]
    with (tmp_path / "products.ndjson").open() as stream:
        assert len([json.loads(line) for line in stream]) == 50
