"""An expression's value for one set of single values."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from .kinds import DOUBLE, is_list
from .scalars import Undefined
from .typed import Apply, Constant, FieldRef, Items, Typed

Environment = Mapping[str, Mapping[str, Any]]
"""Values by root and field name; `attributes` hold a mapping of their own. Numbers are floats,
lists tuples. What is absent, None, NaN or an empty text is missing."""


def evaluate(node: Typed, env: Environment) -> Any:
    """The value. Raises Undefined when it has none."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, FieldRef):
        return _field(node, env)
    if isinstance(node, Items):
        return tuple(evaluate(item, env) for item in node.items)
    assert isinstance(node, Apply)
    if node.operator.lazy:
        return node.operator.scalar(*(partial(evaluate, arg, env) for arg in node.args))
    value = node.operator.scalar(*[evaluate(arg, env) for arg in node.args])
    if node.kind == DOUBLE and not isinstance(value, float):
        raise Undefined("attributes that are no numbers cannot be reckoned with")
    return value


def _field(node: FieldRef, env: Environment) -> Any:
    value = env.get(node.root, {}).get(node.name)
    if node.key is not None and value is not None:
        value = value.get(node.key)
        if value == ():
            raise Undefined(f"{node.key} is missing")
    if value is None and is_list(node.kind) and node.root in env:
        return ()
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        raise Undefined(f"{node.root}.{node.name} is missing")
    return value
