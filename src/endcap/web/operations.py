"""The form of an operation: address, scope, parameters, body, answer and errors in one place."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import ConfigurationError, EndcapError

from .call import Call

Handler = Callable[[Call], Awaitable[Response]]
SCOPES = frozenset(
    {
        "events:write",
        "recommendations:read",
        "catalogue:read",
        "catalogue:write",
        "rules:edit",
        "reports:read",
        "builds:run",
        "open",
    }
)
"""What a caller may be allowed to do; `open` operations (health, docs) need nothing."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter in the query, the path or a header; `schema` is JSON Schema."""

    name: str
    about: str
    schema: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "string"})
    place: str = "query"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method at one address.

    `body` is the type of the JSON body, or a mapping of content type to JSON Schema; `answer` the
    type of the JSON answer (None: no body); `errors` the errors it answers with beside the common
    ones.
    """

    id: str
    method: str
    path: str
    handler: Handler
    scope: str
    about: str
    tag: str
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_example: Any = None
    answer: Any = None
    status: int = 200
    errors: tuple[type[EndcapError], ...] = ()

    def check(self) -> None:
        """Raise ConfigurationError when the operation does not say what it needs."""
        if self.scope not in SCOPES:
            raise ConfigurationError(
                f"operation {self.id}: scope `{self.scope}` is none of {', '.join(sorted(SCOPES))}"
            )

    @property
    def query_names(self) -> frozenset[str]:
        """The names it takes in the query."""
        return frozenset(p.name for p in self.parameters if p.place == "query")
