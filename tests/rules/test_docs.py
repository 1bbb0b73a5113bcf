"""docs/expressions.md names every operator, function, field and limit."""

from pathlib import Path

from endcap.rules.cost import LIMIT
from endcap.rules.fields import ROOTS
from endcap.rules.operators import OPERATORS
from endcap.rules.parser import MAX_DEPTH, MAX_LIST, MAX_NODES
from endcap.rules.reference import fields_table, operators_table
from endcap.rules.tokens import MAX_LENGTH

TEXT = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text("utf-8")


def test_the_tables_are_those_of_the_code():
    assert operators_table() in TEXT
    assert fields_table() in TEXT
    assert len(operators_table().splitlines()) == 2 + len(OPERATORS)
    assert len(fields_table().splitlines()) == 2 + sum(map(len, ROOTS.values())) - len(
        ROOTS["seed"]
    )


def test_the_limits_are_those_of_the_code():
    for words in (
        f"{MAX_LENGTH:,} characters",
        f"{MAX_NODES} parts",
        f"{MAX_DEPTH} levels",
        f"{MAX_LIST} entries",
        f"{LIMIT:g} ms",
    ):
        assert words in TEXT
