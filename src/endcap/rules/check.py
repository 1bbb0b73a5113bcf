"""Checking a parsed expression: names against the fields, operands against the operators."""

from .errors import ExpressionError, did_you_mean
from .fields import ROOTS, Schema
from .kinds import BOOL, DOUBLE, DYN, INT, NULL, STRING, STRINGS, Kind, list_of, shared
from .operators import OPERATORS, OUTSIDE, Operator
from .syntax import Call, Index, ListOf, Literal, Name, Node, Operation, Select
from .typed import Apply, Constant, FieldRef, Items, Typed, walk

_KINDS: dict[type, Kind] = {bool: BOOL, int: INT, float: DOUBLE, str: STRING, type(None): NULL}
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "neg"})


def check(node: Node, schema: Schema) -> Typed:
    """The typed expression. Raises ExpressionError."""
    return _Checker(schema).typed(node)


class _Checker:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def typed(self, node: Node) -> Typed:
        match node:
            case Literal(at, value):
                return Constant(at, _KINDS[type(value)], False, value)
            case ListOf(at, items):
                return self._list(at, [self.typed(item) for item in items])
            case Operation(at, symbol, args):
                return _applied(at, OPERATORS[symbol], [self.typed(arg) for arg in args])
            case Call():
                return self._call(node)
            case Index(at, target, key):
                return self._index(at, target, key)
            case Select(at, target, field):
                return self._select(at, target, field)
            case Name(at, name):
                raise self._unknown_name(name, at)
        raise AssertionError(node)

    def _list(self, at: int, items: list[Typed]) -> Typed:
        kind = list_of(shared([item.kind for item in items]))
        constants = [item.value for item in items if isinstance(item, Constant)]
        if len(constants) == len(items):
            return Constant(at, kind, False, tuple(constants))
        for item in items:
            if item.product:
                raise ExpressionError(
                    "a list cannot hold a field of the product", item.at, code="unsupported"
                )
        return Items(at, kind, False, tuple(items))

    def _select(self, at: int, target: Node, field: str) -> Typed:
        if isinstance(target, Select) and target.field == "attributes":
            return self._attribute(at, target, field)
        if not isinstance(target, Name):
            inner = self.typed(target)
            raise ExpressionError(f"a {inner.kind} has no fields", at, code="unknown_field")
        return self._field(at, target, field)

    def _field(self, at: int, root: Name, name: str) -> FieldRef:
        fields = ROOTS.get(root.name)
        if fields is None or root.name not in self._schema.roots:
            raise self._unknown_name(root.name, root.at)
        if name in self._schema.hidden:
            raise ExpressionError(f"`{root.name}.{name}` cannot be read here", at, code="hidden")
        field = fields.get(name)
        if field is None:
            hint = did_you_mean(name, fields)
            if root.name in ("product", "seed") and "did you mean" not in hint:
                hint = f"an attribute is read as `{root.name}.attributes.{name}`"
            raise ExpressionError(
                f"`{root.name}` has no field `{name[:60]}`", at, hint, "unknown_field"
            )
        if field.kind == DYN:
            raise ExpressionError(
                f"`{root.name}.{name}` needs the name of one",
                at,
                f"write `{root.name}.{name}.colour`",
                "unknown_field",
            )
        return FieldRef(root.at, field.kind, root.name == self._schema.rows, root.name, name)

    def _attribute(self, at: int, target: Node, key: str) -> Typed:
        assert isinstance(target, Select)
        root = target.target
        if not isinstance(root, Name) or root.name not in ("product", "seed"):
            raise ExpressionError("only products have attributes", at, code="unknown_field")
        if root.name not in self._schema.roots:
            raise self._unknown_name(root.name, root.at)
        by_row = root.name == self._schema.rows
        return FieldRef(root.at, DYN, by_row, root.name, "attributes", key)

    def _index(self, at: int, target: Node, key: Node) -> Typed:
        if isinstance(target, Select) and target.field == "attributes":
            if not (isinstance(key, Literal) and isinstance(key.value, str)):
                raise ExpressionError(
                    "an attribute's name is a text written out", key.at, 'like ["colour"]'
                )
            return self._attribute(at, target, key.value)
        items = self.typed(target)
        return _applied(at, OPERATORS["[]"], [items, self.typed(key)])

    def _call(self, call: Call) -> Typed:
        name, at = call.function, call.at
        if name in OUTSIDE and name not in OPERATORS:
            raise ExpressionError(f"`{name}`: {OUTSIDE[name]}", at, code="unsupported")
        operator = OPERATORS.get(name)
        if operator is None or operator.form not in ("function", "method"):
            known = [row.symbol for row in OPERATORS.values() if row.form in ("function", "method")]
            raise ExpressionError(
                f"there is no function `{name[:60]}`",
                at,
                did_you_mean(name, known),
                "unknown_function",
            )
        if name in ("in_category", "segment"):
            args = [self._receiver(call), *map(self.typed, call.args)]
        elif name == "has":
            args = [self._has(call)]
        else:
            parts = ([call.target] if call.target is not None else []) + list(call.args)
            args = [self.typed(part) for part in parts]
        wanted = 1 if operator.form == "function" else 2
        method = operator.form == "method" and call.target is None
        if len(args) != wanted or method or (name == "has" and call.target is not None):
            raise ExpressionError(
                f"`{name}` is not written like this", at, f"it takes {operator.takes}", "arguments"
            )
        return _applied(at, operator, args)

    def _receiver(self, call: Call) -> Typed:
        roots = ("visitor",) if call.function == "segment" else ("product", "seed")
        target = call.target
        if not isinstance(target, Name) or target.name not in roots:
            raise ExpressionError(
                f"`{call.function}` is asked of {' or '.join(roots)}",
                call.at,
                f"write `{roots[0]}.{call.function}(…)`",
                "arguments",
            )
        if target.name not in self._schema.roots:
            raise self._unknown_name(target.name, target.at)
        field = "segments" if call.function == "segment" else "categories"
        if field in self._schema.hidden:
            raise ExpressionError("a segment cannot ask for segments", call.at, code="hidden")
        return FieldRef(target.at, STRINGS, target.name == "product", target.name, field)

    def _has(self, call: Call) -> Typed:
        if len(call.args) == 1 and isinstance(call.args[0], Select | Index):
            found = self.typed(call.args[0])
            if isinstance(found, FieldRef):
                return found
        raise ExpressionError(
            "`has` takes one field", call.at, "like has(product.attributes.colour)", "arguments"
        )

    def _unknown_name(self, name: str, at: int) -> ExpressionError:
        if name in ROOTS and name not in self._schema.roots:
            return ExpressionError(
                f"`{name}` cannot be read here", at, self._schema.why, "unknown_name"
            )
        if name in ROOTS:
            return ExpressionError(
                f"`{name}` needs a field", at, f"like `{name}.{next(iter(ROOTS[name]))}`"
            )
        hint = did_you_mean(name, self._schema.roots)
        for root in ("product", "visitor"):
            if root in self._schema.roots and name in ROOTS[root]:
                hint = f"did you mean `{root}.{name}`?"
                break
        return ExpressionError(f"there is nothing named `{name[:60]}`", at, hint, "unknown_name")


def _applied(at: int, operator: Operator, args: list[Typed]) -> Typed:
    kinds = [arg.kind for arg in args]
    kind = operator.result(kinds)
    if kind is None:
        raise _no_overload(at, operator, args)
    product = any(arg.product for arg in args)
    if product:
        _check_columns(at, operator, args, kind)
    return Apply(at, kind, product, operator, tuple(args))


def _no_overload(at: int, operator: Operator, args: list[Typed]) -> ExpressionError:
    kinds = [arg.kind for arg in args]
    hint = f"it takes {operator.takes}"
    if operator.symbol in _ARITHMETIC and set(kinds) <= {INT, DOUBLE, DYN} and INT in kinds:
        whole = next(arg for arg in args if arg.kind == INT)
        if isinstance(whole, Constant):
            hint = f"write {whole.value}.0"
    symbol = "-" if operator.symbol == "neg" else operator.symbol
    return ExpressionError(f"`{symbol}` does not take {' and '.join(kinds)}", at, hint, "kinds")


def _check_columns(at: int, operator: Operator, args: list[Typed], kind: Kind) -> None:
    """Refuse the few combinations that have no kernel over columns."""
    symbol = operator.symbol
    why = ""
    if operator.kernel is None:
        why = f"`{symbol}` cannot be used on fields of the product"
    elif symbol in _ARITHMETIC and kind != DOUBLE:
        why = f"`{symbol}` on the product takes doubles only"
    elif symbol == "?:" and kind not in (BOOL, DOUBLE, INT):
        why = "a choice that depends on the product gives a bool or a number"
    elif symbol in ("==", "!=", "<", "<=", ">", ">="):
        why = _no_comparison(args)
    elif symbol == "in" and args[1].product and args[0].product:
        why = "both sides of `in` are fields of the product"
    elif operator.form == "method" and any(arg.product for arg in args[1:]):
        why = f"`{symbol}` takes a text that is the same for all products"
    if why:
        raise ExpressionError(why, at, code="unsupported")


def _no_comparison(args: list[Typed]) -> str:
    left, right = args
    for one, other in ((left, right), (right, left)):
        computed = one.product and not isinstance(one, FieldRef)
        if computed and one.kind == BOOL and other.kind != BOOL:
            return "a condition can be compared with a bool only"
    if left.product and right.product:
        kinds = {left.kind, right.kind}
        if kinds == {BOOL} or kinds <= {INT, DOUBLE} or (DYN in kinds and kinds & {INT, DOUBLE}):
            return ""
        return "two fields of the product can be compared when they are numbers"
    return ""


def fields_of(node: Typed) -> list[FieldRef]:
    """Every field it reads."""
    return [one for one in walk(node) if isinstance(one, FieldRef)]
