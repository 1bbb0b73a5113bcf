"""What an expression costs over a million products, worked out before it runs.

The figures are milliseconds on one core, measured with bench/expressions.py and rounded up. What
would cost more than LIMIT is refused, so that no expression can hold up other answers.
"""

from .errors import ExpressionError
from .kernels import FEW as FEW_CODES
from .kinds import DYN, INT, NUMBERS, STRING, is_list
from .membership import FEW as FEW_NUMBERS
from .typed import Apply, Constant, FieldRef, Typed

LIMIT = 5.0
COMPARE = 0.25
COMPARE_CODES = 0.15
JOIN = 0.08
LOOKUP = 1.1
HASHED = 2.2
CALCULATE = 0.75
CHOOSE = 2.4
ATTRIBUTE = 0.3
_ORDER = frozenset({"<", "<=", ">", ">="})
_COMPARE = _ORDER | {"==", "!="}
_ARITHMETIC = frozenset({"+", "-", "*", "/", "neg"})


def check_cost(node: Typed) -> float:
    """Milliseconds per million products. Raises ExpressionError above LIMIT."""
    cost = cost_of(node)
    if cost > LIMIT:
        raise ExpressionError(
            f"it would take about {min(cost, 999):.1f} ms per million products, at most {LIMIT} "
            "are allowed",
            node.at,
            "leave out calculations and choices, or join text conditions into one `in`",
            "too_costly",
        )
    return cost


def cost_of(node: Typed) -> float:
    """Milliseconds per million products."""
    if not node.product or not isinstance(node, Apply):
        return 0.0
    # Where a part is asked both for true and for false, it is worked out twice.
    twice = [_asked_twice(node, place) for place in range(len(node.args))]
    inner = sum(cost_of(arg) * (2 if two else 1) for arg, two in zip(node.args, twice, strict=True))
    return _own(node) + inner


def _asked_twice(node: Apply, place: int) -> bool:
    symbol = node.operator.symbol
    if symbol == "?:":
        return place == 0
    return (symbol in _COMPARE or symbol == "in") and node.args[place].kind == "bool"


def _own(node: Apply) -> float:
    symbol = node.operator.symbol
    attributes = ATTRIBUTE * sum(arg.kind == DYN for arg in node.args)
    if symbol == "in":
        return _membership(node)
    if symbol in _COMPARE:
        return _comparison(node)
    if symbol in ("&&", "||"):
        return JOIN * len(node.args)
    own = {"!": 0.0, "?:": CHOOSE, "has": COMPARE}.get(symbol, LOOKUP)
    return attributes + (CALCULATE if symbol in _ARITHMETIC else own)


def _comparison(node: Apply) -> float:
    kinds = [arg.kind for arg in node.args]
    own = COMPARE_CODES if STRING in kinds else COMPARE
    # Unequal has to tell a missing value from another one.
    own += JOIN * (node.operator.symbol == "!=")
    own += ATTRIBUTE * sum(arg.kind == DYN and arg.product for arg in node.args)
    texts = STRING in kinds and node.operator.symbol in _ORDER
    if texts or any(is_list(kind) for kind in kinds):
        own += LOOKUP
    # Where a number is worked out, what is missing is kept beside it.
    if any(isinstance(arg, Apply) and arg.product for arg in node.args):
        own += 2 * COMPARE
    return own


def _membership(node: Apply) -> float:
    item, items = node.args
    own = ATTRIBUTE * (item.kind == DYN)
    if items.product:
        return own + LOOKUP + ATTRIBUTE * (items.kind == DYN)
    size = (
        len(items.value) if isinstance(items, Constant) and isinstance(items.value, tuple) else 99
    )
    if item.kind in NUMBERS or item.kind in (DYN, INT):
        own += COMPARE * size if size <= FEW_NUMBERS else HASHED
    if item.kind not in NUMBERS:
        own += COMPARE_CODES * size if size <= FEW_CODES else LOOKUP
    if isinstance(item, FieldRef) and item.kind == DYN:
        own += COMPARE
    return own
