"""From tokens to a tree: CEL's grammar by recursive descent, within limits."""

from collections.abc import Callable

from .errors import ExpressionError
from .literals import MAX_INT, int_value, text_value
from .syntax import Call, Index, ListOf, Literal, Name, Node, Operation, Scalar, Select
from .tokens import Token, tokenize

MAX_DEPTH = 16
MAX_NODES = 200
MAX_LIST = 500
_RELATIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", "in"})
_CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
# Words the CEL grammar keeps for itself (langdef, RESERVED).
RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var "
    "void while".split()
)


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError."""
    return _Parser(tokenize(text)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._nodes = 0

    def whole(self) -> Node:
        if self._token.kind == "end":
            raise ExpressionError("the expression is empty", 0, code="syntax")
        node = self._choice()
        if self._token.kind != "end":
            raise self._unexpected()
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _is(self, *symbols: str) -> bool:
        token = self._token
        return token.kind in ("op", "ident") and token.text in symbols

    def _expect(self, symbol: str, why: str) -> None:
        if not self._is(symbol):
            raise self._unexpected(f"`{symbol}` is missing {why}")
        self._next()

    def _unexpected(self, message: str = "") -> ExpressionError:
        token = self._token
        what = "the end of the expression" if token.kind == "end" else f"`{token.text[:40]}`"
        return ExpressionError(message or f"{what} is not expected here", token.at, code="syntax")

    def _count(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ExpressionError(
                f"the expression has more than {MAX_NODES} parts", node.at, code="too_many_parts"
            )
        return node

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} levels deep", at, code="too_deep")

    def _choice(self) -> Node:
        condition = self._or()
        if not self._is("?"):
            return condition
        at = self._next().at
        yes = self._or()
        self._expect(":", "after the first choice of `?`")
        no = self._choice()
        return self._count(Operation(at, "?:", (condition, yes, no)))

    def _or(self) -> Node:
        return self._chain("||", lambda: self._chain("&&", self._relation))

    def _chain(self, symbol: str, inner: Callable[[], Node]) -> Node:
        first = inner()
        if not self._is(symbol):
            return first
        at = self._token.at
        parts = [first]
        while self._is(symbol):
            self._next()
            parts.append(inner())
        return self._count(Operation(at, symbol, tuple(parts)))

    def _relation(self) -> Node:
        left = self._sum()
        while self._is(*_RELATIONS):
            token = self._next()
            left = self._count(Operation(token.at, token.text, (left, self._sum())))
        return left

    def _sum(self) -> Node:
        left = self._product()
        while self._is("+", "-"):
            token = self._next()
            left = self._count(Operation(token.at, token.text, (left, self._product())))
        return left

    def _product(self) -> Node:
        left = self._unary()
        while self._is("*", "/", "%"):
            token = self._next()
            left = self._count(Operation(token.at, token.text, (left, self._unary())))
        return left

    def _unary(self) -> Node:
        if not self._is("!", "-"):
            return self._member()
        first = self._next()
        times = 1
        while self._is(first.text):
            self._next()
            times += 1
        # The minus belongs to a number written out, so that the smallest int can be written.
        token = self._token
        if first.text == "-" and times % 2 and token.kind in ("int", "double"):
            return self._member(negative=first.at)
        inner = self._member()
        if times % 2 == 0:
            return inner
        symbol = "!" if first.text == "!" else "neg"
        return self._count(Operation(first.at, symbol, (inner,)))

    def _member(self, negative: int | None = None) -> Node:
        node = self._primary(negative)
        while self._is(".", "["):
            token = self._next()
            if token.text == "[":
                node = self._index(node, token.at)
                continue
            name = self._next()
            if name.kind != "ident":
                self._place -= 1
                raise self._unexpected("a field or function name is missing after `.`")
            if self._is("("):
                node = self._call(name, node)
            else:
                node = self._count(Select(name.at, node, name.text))
        return node

    def _index(self, target: Node, at: int) -> Node:
        self._deeper(at)
        key = self._choice()
        self._depth -= 1
        self._expect("]", "after the index")
        return self._count(Index(at, target, key))

    def _primary(self, negative: int | None) -> Node:
        token = self._next()
        if token.kind in ("int", "double", "string"):
            return self._count(self._literal(token, negative))
        if token.kind == "ident" and token.text in _CONSTANTS:
            return self._count(Literal(token.at, _CONSTANTS[token.text]))
        if token.kind == "ident" and token.text not in RESERVED and token.text != "in":
            if self._is("("):
                return self._call(token, None)
            return self._count(Name(token.at, token.text))
        if token.text == "(":
            self._deeper(token.at)
            node = self._choice()
            self._depth -= 1
            self._expect(")", f"for the `(` at character {token.at + 1}")
            return node
        if token.text == "[":
            return self._list(token.at)
        self._place -= 1
        raise self._unexpected()

    def _literal(self, token: Token, negative: int | None) -> Literal:
        if token.kind == "string":
            return Literal(token.at, text_value(token.text, token.at))
        sign = 1 if negative is None else -1
        at = token.at if negative is None else negative
        if token.kind == "double":
            return Literal(at, sign * float(token.text))
        value = sign * int_value(token.text, token.at)
        if value > MAX_INT:
            raise ExpressionError("this whole number has more than 64 bits", at, code="number")
        return Literal(at, value)

    def _list(self, at: int) -> Node:
        before = self._nodes
        items = self._arguments("]", at)
        if len(items) > MAX_LIST:
            raise ExpressionError(
                f"the list has {len(items)} entries, at most {MAX_LIST} are taken",
                at,
                code="list_too_long",
            )
        if all(isinstance(item, Literal) for item in items):
            self._nodes = before  # a list of written-out values is one part
        return self._count(ListOf(at, items))

    def _call(self, name: Token, target: Node | None) -> Node:
        at = self._next().at
        args = self._arguments(")", at)
        return self._count(Call(name.at, name.text, target, args))

    def _arguments(self, closing: str, at: int) -> tuple[Node, ...]:
        self._deeper(at)
        items: list[Node] = []
        while not self._is(closing):
            if items:
                self._expect(",", f"or `{closing}`")
                if closing == "]" and self._is(closing):
                    break
            limit_at = self._nodes
            items.append(self._choice())
            if isinstance(items[-1], Literal) and len(items) <= MAX_LIST + 1:
                self._nodes = limit_at
        self._depth -= 1
        self._next()
        return tuple(items)
