"""Finding components by file name and making them from a placement's data."""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any, Generic, TypeVar

import msgspec

from endcap.core.errors import ConfigurationError, FieldProblem

from . import filters, rerankers, retrievers
from .stages import Component, Filter, Reranker, Retriever

C = TypeVar("C", bound=Component)


class Registry(Generic[C]):
    """The components of one kind, by name."""

    def __init__(self, kind: str, package: ModuleType, shape: type[C]) -> None:
        self.kind = kind
        self._shape = shape
        self.found: dict[str, type[C]] = {}
        for module in pkgutil.iter_modules(package.__path__):
            self.add(module.name, importlib.import_module(f"{package.__name__}.{module.name}"))

    def add(self, name: str, module: ModuleType) -> None:
        """Take in the one component of a module.

        Raises ConfigurationError for a module with none or several, for a name already taken, and
        for a component that cannot be made without options.
        """
        own = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if issubclass(member, self._shape) and member.__module__ == module.__name__
        ]
        if len(own) != 1:
            raise ConfigurationError(
                f"{module.__name__} has {len(own)} {self.kind}s; put exactly one in a file"
            )
        if name in self.found:
            taken = self.found[name].__module__
            raise ConfigurationError(
                f"the {self.kind} name `{name}` is taken by {taken}; rename {module.__name__}"
            )
        try:
            own[0]()
        except TypeError as error:
            raise ConfigurationError(
                f"{module.__name__}: every option needs a default ({error})"
            ) from error
        self.found[name] = own[0]

    def make(self, data: dict[str, Any], pointer: str) -> C | FieldProblem:
        """The component a mapping names, or what is wrong with the mapping."""
        name = data.get(self.kind)
        if not isinstance(name, str) or name not in self.found:
            known = ", ".join(sorted(self.found))
            return FieldProblem(
                f"{pointer}/{self.kind}", "unknown_component", f"must be one of: {known}"
            )
        options = {key: value for key, value in data.items() if key != self.kind}
        try:
            return msgspec.convert(options, self.found[name])
        except msgspec.ValidationError as error:
            return FieldProblem(pointer, "invalid_option", f"{name}: {error}")


class Components:
    """The three registries together."""

    def __init__(self) -> None:
        self.retrievers = Registry("retriever", retrievers, Retriever)
        self.filters = Registry("filter", filters, Filter)
        self.rerankers = Registry("reranker", rerankers, Reranker)
