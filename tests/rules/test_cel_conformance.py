"""The public conformance cases of CEL that concern the subset."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from product_columns import ListedFields

from endcap.rules.check import check
from endcap.rules.errors import ExpressionError
from endcap.rules.evaluate import evaluate
from endcap.rules.expression import compile_expression
from endcap.rules.fields import EVERYTHING
from endcap.rules.parser import parse
from endcap.rules.scalars import Undefined

CASES = json.loads(Path(__file__).with_name("cel_conformance.json").read_text("utf-8"))["cases"]


def as_lists(value):
    return [as_lists(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['file']}-{c['section']}-{c['name']}")
def test_the_case_holds(case):
    if "refused" in case:
        with pytest.raises(ExpressionError) as caught:
            check(parse(case["expr"]), EVERYTHING)
        assert caught.value.code == f"expression_{case['refused']}"
        return
    node = check(parse(case["expr"]), EVERYTHING)
    if case.get("error"):
        with pytest.raises(Undefined):
            evaluate(node, {})
        return
    value = as_lists(evaluate(node, {}))
    want = case["value"]
    if isinstance(value, float) and math.isinf(value):
        want = float(want)
    assert value == want
    assert type(value) is type(want)


def test_conditions_hold_over_columns_too():
    """A condition without fields is the same for all products, on columns as alone."""
    checked = 0
    for case in CASES:
        if isinstance(case.get("value"), bool) or case.get("error"):
            try:
                expression = compile_expression(case["expr"], EVERYTHING)
            except ExpressionError:
                continue
            mask = expression.mask(ListedFields([{}, {}]), slice(None), {})
            assert mask.tolist() == [case.get("value", False)] * 2
            assert mask.dtype == np.bool_
            checked += 1
    assert checked > 80
