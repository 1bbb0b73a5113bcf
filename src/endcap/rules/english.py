"""An expression as an English sentence, for people who write rules without reading them."""

from .fields import POSSESSIVE, ROOTS
from .kinds import BOOL
from .typed import Apply, Constant, FieldRef, Items, Typed

MAX_SHOWN = 5
_LOOSE = frozenset({"&&", "||", "?:"})


def english(node: Typed) -> str:
    """The sentence, without a full stop."""
    return _said(node, False)


def _said(node: Typed, denied: bool) -> str:
    if isinstance(node, Constant):
        text = _value(node.value)
    elif isinstance(node, Items):
        text = _listed([_said(item, False) for item in node.items])
    elif isinstance(node, FieldRef):
        if node.kind == BOOL:
            return _state(node, denied)
        text = _field(node)
    else:
        assert isinstance(node, Apply)
        return _applied(node, denied)
    return f"not {text}" if denied else text


def _applied(node: Apply, denied: bool) -> str:
    operator = node.operator
    if operator.symbol == "!":
        return _said(node.args[0], not denied)
    if operator.symbol in ("&&", "||"):
        word = " and " if (operator.symbol == "&&") is not denied else " or "
        return word.join(_inner(arg, denied) for arg in node.args)
    parts = [_inner(arg, False) for arg in node.args]
    if denied and operator.english_not:
        return operator.english_not.format(*parts)
    text = operator.english.format(*parts)
    return f"not ({text})" if denied else text


def _inner(node: Typed, denied: bool) -> str:
    text = _said(node, denied)
    loose = isinstance(node, Apply) and node.operator.symbol in _LOOSE
    return f"({text})" if loose else text


def _field(node: FieldRef) -> str:
    field = ROOTS[node.root].get(node.name)
    name = field.english if field is not None else node.name
    if node.key is not None:
        name = f"{node.key}"
    return POSSESSIVE[node.root].format(name)


def _state(node: FieldRef, denied: bool) -> str:
    word = "is not" if denied else "is"
    return f"the {node.root} {word} {ROOTS[node.root][node.name].english}"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return _listed([_value(item) for item in value])
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _listed(items: list[str]) -> str:
    if not items:
        return "an empty list"
    if len(items) > MAX_SHOWN:
        return f"{', '.join(items[:MAX_SHOWN])} and {len(items) - MAX_SHOWN} more"
    return ", ".join(items)
