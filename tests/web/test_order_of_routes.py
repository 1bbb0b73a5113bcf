"""The order in which routes are tried: busy ones first, and none hides another."""

import re

from starlette.routing import compile_path

from endcap.web.app import BUSY, _ordered, all_operations


def test_busy_routes_are_tried_first():
    paths = list(dict.fromkeys(op.path for op in _ordered(all_operations())))
    assert set(paths[: len(BUSY)]) == set(BUSY)


def test_no_route_hides_another():
    operations = _ordered(all_operations())
    assert len(operations) > 50
    for operation in operations:
        address = re.sub(r"\{\w+(:path)?\}", "x", operation.path)
        first = next(
            other.path
            for other in operations
            if other.method == operation.method and compile_path(other.path)[0].match(address)
        )
        assert first == operation.path
