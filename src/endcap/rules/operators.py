"""The table of operators and functions: one row each gives the check, the kernel over columns,
the meaning for single values, and the English.

Nothing outside this table can be written in an expression.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import kernels, scalars
from .kernels import Kernel
from .kinds import BOOL, DOUBLE, DYN, INT, NUMBERS, ORDERED, STRING, Kind, agree, is_list, item_of
from .kinds import list_of as _list_of

Result = Callable[[Sequence[Kind]], Kind | None]


class Operator(NamedTuple):
    """One operator, function or method.

    `result` gives the kind of the answer for the kinds of the operands, None when it does not take
    them. `scalar` works on single values (on thunks, when `lazy`), `kernel` on columns (None: it
    cannot depend on the product). `english` takes the operands' English; `english_not` is the
    same denied.
    """

    symbol: str
    form: str
    takes: str
    result: Result
    scalar: Callable[..., Any]
    kernel: Kernel | None
    english: str
    english_not: str = ""
    lazy: bool = False


def _logic(kinds: Sequence[Kind]) -> Kind | None:
    return BOOL if all(kind in (BOOL, DYN) for kind in kinds) else None


def _numbers(kinds: Sequence[Kind]) -> Kind | None:
    """Numbers of one kind; an attribute counts as a double."""
    as_double = [DOUBLE if kind == DYN else kind for kind in kinds]
    if all(kind == as_double[0] for kind in as_double) and as_double[0] in NUMBERS:
        return as_double[0]
    return None


def _sum(kinds: Sequence[Kind]) -> Kind | None:
    left, right = kinds
    if left == right == STRING:
        return STRING
    if is_list(left) and is_list(right):
        return left if left == right else _list_of(DYN)
    return _numbers(kinds)


def _ints(kinds: Sequence[Kind]) -> Kind | None:
    return INT if all(kind == INT for kind in kinds) else None


def _equality(kinds: Sequence[Kind]) -> Kind | None:
    return BOOL if agree(*kinds) else None


def _order(kinds: Sequence[Kind]) -> Kind | None:
    orderable = all(kind in NUMBERS or kind in ORDERED or kind == DYN for kind in kinds)
    return BOOL if orderable and agree(*kinds) else None


def _membership(kinds: Sequence[Kind]) -> Kind | None:
    item, items = kinds
    if items == DYN:
        return BOOL
    return BOOL if is_list(items) and agree(item, item_of(items)) else None


def _choice(kinds: Sequence[Kind]) -> Kind | None:
    condition, yes, no = kinds
    if condition not in (BOOL, DYN) or not agree(yes, no):
        return None
    return yes if yes == no else DYN


def _text_test(kinds: Sequence[Kind]) -> Kind | None:
    return BOOL if all(kind in (STRING, DYN) for kind in kinds) else None


def _size(kinds: Sequence[Kind]) -> Kind | None:
    return INT if kinds[0] in (STRING, DYN) or is_list(kinds[0]) else None


def _anything(kinds: Sequence[Kind]) -> Kind | None:
    return BOOL


def _item(kinds: Sequence[Kind]) -> Kind | None:
    items, place = kinds
    return item_of(items) if is_list(items) and place == INT else None


def _of_texts(kinds: Sequence[Kind]) -> Kind | None:
    return BOOL if kinds[1] in (STRING, DYN) else None


_LOGIC = (
    Operator(
        "&&", "infix", "bool", _logic, scalars.every, kernels.conjunction, "{0} and {1}", lazy=True
    ),
    Operator(
        "||", "infix", "bool", _logic, scalars.some, kernels.disjunction, "{0} or {1}", lazy=True
    ),
    Operator(
        "!", "prefix", "bool", _logic, scalars.opposite, kernels.negation, "not ({0})", lazy=True
    ),
    Operator(
        "?:",
        "choice",
        "bool ? any : the same kind",
        _choice,
        scalars.choice,
        kernels.choice,
        "{1} if {0}, else {2}",
        lazy=True,
    ),
)
_NUMBERS = (
    Operator(
        "+",
        "infix",
        "two ints, doubles, strings or lists",
        _sum,
        scalars.add,
        kernels.arithmetic(np.add),
        "{0} plus {1}",
    ),
    Operator(
        "-",
        "infix",
        "two ints or doubles",
        _numbers,
        scalars.subtract,
        kernels.arithmetic(np.subtract),
        "{0} minus {1}",
    ),
    Operator(
        "*",
        "infix",
        "two ints or doubles",
        _numbers,
        scalars.multiply,
        kernels.arithmetic(np.multiply),
        "{0} times {1}",
    ),
    Operator(
        "/",
        "infix",
        "two ints or doubles",
        _numbers,
        scalars.divide,
        kernels.arithmetic(np.divide),
        "{0} divided by {1}",
    ),
    Operator(
        "%", "infix", "two ints", _ints, scalars.remainder, None, "the rest of {0} divided by {1}"
    ),
    Operator(
        "neg",
        "prefix",
        "int or double",
        _numbers,
        scalars.negate,
        kernels.arithmetic(np.negative),
        "minus {0}",
    ),
)
_COMPARISONS = (
    Operator(
        "==",
        "infix",
        "two of one kind, or int and double",
        _equality,
        scalars.same,
        kernels.equality(True, scalars.same),
        "{0} is {1}",
        "{0} is not {1}",
    ),
    Operator(
        "!=",
        "infix",
        "two of one kind, or int and double",
        _equality,
        scalars.different,
        kernels.equality(False, scalars.different),
        "{0} is not {1}",
        "{0} is {1}",
    ),
    Operator(
        "<",
        "infix",
        "numbers, strings or bools",
        _order,
        scalars.less,
        kernels.order(np.less, np.greater_equal, scalars.less),
        "{0} is below {1}",
        "{0} is at least {1}",
    ),
    Operator(
        "<=",
        "infix",
        "numbers, strings or bools",
        _order,
        scalars.at_most,
        kernels.order(np.less_equal, np.greater, scalars.at_most),
        "{0} is at most {1}",
        "{0} is above {1}",
    ),
    Operator(
        ">",
        "infix",
        "numbers, strings or bools",
        _order,
        scalars.greater,
        kernels.order(np.greater, np.less_equal, scalars.greater),
        "{0} is above {1}",
        "{0} is at most {1}",
    ),
    Operator(
        ">=",
        "infix",
        "numbers, strings or bools",
        _order,
        scalars.at_least,
        kernels.order(np.greater_equal, np.less, scalars.at_least),
        "{0} is at least {1}",
        "{0} is below {1}",
    ),
    Operator(
        "in",
        "infix",
        "a value and a list",
        _membership,
        scalars.among,
        kernels.among,
        "{0} is among {1}",
        "{0} is not among {1}",
    ),
)
_FUNCTIONS = (
    Operator(
        "has",
        "function",
        "a field",
        _anything,
        scalars.present,
        kernels.presence,
        "there is {0}",
        "there is no {0}",
        lazy=True,
    ),
    Operator(
        "size",
        "function",
        "a string or a list",
        _size,
        scalars.size,
        kernels.length,
        "the length of {0}",
    ),
    Operator(
        "startsWith",
        "method",
        "string.startsWith(string)",
        _text_test,
        scalars.starts_with,
        kernels.text_test(scalars.starts_with),
        "{0} begins with {1}",
        "{0} does not begin with {1}",
    ),
    Operator(
        "endsWith",
        "method",
        "string.endsWith(string)",
        _text_test,
        scalars.ends_with,
        kernels.text_test(scalars.ends_with),
        "{0} ends with {1}",
        "{0} does not end with {1}",
    ),
    Operator(
        "contains",
        "method",
        "string.contains(string)",
        _text_test,
        scalars.contains,
        kernels.text_test(scalars.contains),
        "{0} contains {1}",
        "{0} does not contain {1}",
    ),
    Operator(
        "in_category",
        "method",
        'product.in_category("A > B"), seed.in_category(…)',
        _of_texts,
        scalars.in_category,
        kernels.text_test(scalars.in_category),
        "{0} lie in {1}",
        "{0} do not lie in {1}",
    ),
    Operator(
        "segment",
        "method",
        'visitor.segment("loyal")',
        _of_texts,
        lambda names, name: scalars.among(name, names),
        None,
        "the visitor is in the segment {1}",
        "the visitor is not in the segment {1}",
    ),
    Operator(
        "[]",
        "index",
        "list[int]",
        _item,
        scalars.item_at,
        None,
        "item {1} of {0}",
    ),
)
OPERATORS: dict[str, Operator] = {
    row.symbol: row for row in (*_LOGIC, *_NUMBERS, *_COMPARISONS, *_FUNCTIONS)
}

# What CEL has and this language does not, with what to write instead.
OUTSIDE: dict[str, str] = {
    **dict.fromkeys(
        ("all", "exists", "exists_one", "map", "filter", "cel", "bind", "block"),
        "macros are not part of this language",
    ),
    "matches": "regular expressions are not part of this language; use startsWith, endsWith or "
    "contains",
    **dict.fromkeys(("duration", "timestamp"), "times and durations are not values here"),
    **dict.fromkeys(
        (
            "getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours "
            "getMinutes getSeconds getMilliseconds"
        ).split(),
        "times are not values here; use the fields of `now`",
    ),
    **dict.fromkeys(
        ("int", "uint", "double", "string", "bytes", "bool", "dyn", "type"),
        "conversions are not part of this language",
    ),
}
