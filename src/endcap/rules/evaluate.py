"""An expression's value for one set of single values."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .kinds import DOUBLE, is_list
from .scalars import Undefined
from .typed import Apply, Constant, FieldRef, Items, Typed

Environment = Mapping[str, Mapping[str, Any]]
"""Values by root and field name; `attributes` hold a mapping of their own. Numbers are floats,
lists tuples. What is absent, None, NaN or an empty text is missing."""
Run = Callable[[Environment], Any]
"""Gives the value for an environment, or raises Undefined."""


def evaluate(node: Typed, env: Environment) -> Any:
    """The value. Raises Undefined when it has none."""
    return runner(node)(env)


def runner(node: Typed) -> Run:
    """The node as a function, for expressions that are evaluated at each request."""
    if isinstance(node, Constant):
        value = node.value
        return lambda env: value
    if isinstance(node, FieldRef):
        return _field(node)
    if isinstance(node, Items):
        runs = [runner(item) for item in node.items]
        return lambda env: tuple([run(env) for run in runs])
    assert isinstance(node, Apply)
    return _applied(node)


def _applied(node: Apply) -> Run:
    runs, scalar = [runner(arg) for arg in node.args], node.operator.scalar
    if node.operator.lazy:
        return lambda env: scalar(*[partial(run, env) for run in runs])
    if node.kind == DOUBLE:
        return lambda env: _double(scalar(*[run(env) for run in runs]))
    if len(runs) == 2:
        left, right = runs
        return lambda env: scalar(left(env), right(env))
    return lambda env: scalar(*[run(env) for run in runs])


def _double(value: Any) -> float:
    if not isinstance(value, float):
        raise Undefined("attributes that are no numbers cannot be reckoned with")
    return value


def _field(node: FieldRef) -> Run:
    root, name, key, listed = node.root, node.name, node.key, is_list(node.kind)

    def run(env: Environment) -> Any:
        values = env.get(root)
        value = None if values is None else values.get(name)
        if key is not None and value is not None:
            value = value.get(key)
            if value == ():
                raise Undefined(f"{key} is missing")
        if value is None and listed and values is not None:
            return ()
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            raise Undefined(f"{root}.{name} is missing")
        return value

    return run
