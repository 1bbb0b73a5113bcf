"""Strategies as their code describes them; the documentation and the API are made of this."""

import inspect
import re
import sys
from typing import Any

import msgspec

from endcap.core.status import OptionView, StrategyView

from .registry import Components
from .stages import Retriever

_REASON = re.compile(r'Reason\(\s*"([a-z_]+)"')
_PAIR_REASON = re.compile(r"Told\(([^()]*)\)")
_NAME = re.compile(r'"([a-z_]+)"')
# What of the request and of the shop's state a strategy reads, as its source names it.
_NEEDS = (
    ("query.anchors", "seed, cart or history"),
    ("related(", "seed, cart or history"),
    ("query.seeds", "seed"),
    ("query.viewed", "viewed products"),
    ("query.owned", "purchases"),
    ("query.trail", "recent events"),
    ("query.session", "session"),
    ("query.search", "search term"),
    ("query.zone", "zone"),
    ("audiences(", "zone or segment"),
    ("state.merchant", "decisions of the shop"),
    (".trends", "trend counts"),
    ("links", "links made by hand"),
)


def strategies(components: Components) -> list[StrategyView]:
    """Every strategy, by name."""
    return [describe(name, kind) for name, kind in sorted(components.retrievers.found.items())]


def describe(name: str, kind: type[Retriever]) -> StrategyView:
    """What one strategy does, takes, reads and says."""
    module = sys.modules[kind.__module__]
    source = inspect.getsource(module)
    codes = set(_REASON.findall(source))
    codes |= {_NAME.findall(call)[-1] for call in _PAIR_REASON.findall(source)}
    needs = {need: None for text, need in _NEEDS if text in source}
    return StrategyView(
        name=name,
        about=_line(module.__doc__),
        detail=_line(kind.__doc__),
        options=[_option(field) for field in msgspec.structs.fields(kind)],
        needs=list(needs),
        reasons=sorted(codes),
    )


def _option(field: msgspec.structs.FieldInfo) -> OptionView:
    default = None if field.default is msgspec.NODEFAULT else field.default
    return OptionView(field.encode_name, _type(field.type), msgspec.to_builtins(default))


def _type(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) else str(kind)
    return text.replace("typing.Literal", "").strip("[]").replace("'", "").replace(", ", " | ")


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
