"""Baskets and also-bought through the commands: a generated shop, and the gift shop's real one."""

import json

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from endcap.cli.commands import app


def evaluate(*arguments):
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_next_basket(tmp_path):
    rng = np.random.default_rng(1)
    rows = []
    for user in range(60):
        kind = "abcde" if user % 2 else "vwxyz"
        for basket in range(4):
            split = "future" if basket == 3 else "history"
            rows += [(user, basket, item, split) for item in rng.permutation(list(kind))[:3]]
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE t ("user" INT, basket INT, item VARCHAR, split VARCHAR)')
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        connection.execute(f"COPY t TO '{tmp_path / 'baskets.parquet'}'")
    made = evaluate("baskets", "--data", tmp_path / "baskets.parquet", "--k", 5)
    assert made["examples"] == 60
    # Five products per kind of customer: the first five answers are those five.
    assert made["measures"]["Recall@5"] == 1.0
    assert made["protocol"]["strategies"] == "next_basket"


@pytest.mark.slow
def test_the_gift_shop_reaches_its_figures():
    """The real invoices, near the figures of docs/quality.md."""
    made = evaluate("also-bought")
    assert made["measures"]["HR@10"] >= 0.64
    assert made["measures"]["NDCG@10"] >= 0.20
    assert made["examples"] > 20_000
