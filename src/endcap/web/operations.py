"""The form of an operation: address, scope, parameters, body, answer and errors in one place."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.access import BROWSER_SCOPES, SCOPES
from endcap.core.errors import ConfigurationError, EndcapError

from .call import Call

Handler = Callable[[Call], Awaitable[Response]]
OPEN = "open"
"""The scope of operations that need nothing: health, keys, the token endpoint."""


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
    ones. `browser` operations are open to publishable keys; `personal` ones read or change what is
    kept of one visitor, who is named in the path.
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
    browser: bool = False
    personal: bool = False

    def check(self) -> None:
        """Raise ConfigurationError when the operation does not say what it needs."""
        if self.scope != OPEN and self.scope not in SCOPES:
            raise ConfigurationError(
                f"operation {self.id}: scope `{self.scope}` is none of {', '.join(sorted(SCOPES))}"
            )
        if self.browser and self.scope not in BROWSER_SCOPES:
            raise ConfigurationError(f"operation {self.id}: no browser may have `{self.scope}`")

    @property
    def audited(self) -> bool:
        """Whether a call goes into the audit log: a change of anything but the event log."""
        if self.personal:
            return True
        return self.method != "GET" and self.scope not in BROWSER_SCOPES | {OPEN}

    @property
    def query_names(self) -> frozenset[str]:
        """The names it takes in the query."""
        own = {p.name for p in self.parameters if p.place == "query"}
        return frozenset(own | {"key"} if self.browser else own)


def maker(**common: Any) -> Callable[..., Operation]:
    """Makes operations that have these fields in common; each may say otherwise."""

    def make(**fields: Any) -> Operation:
        return Operation(**{**common, **fields})

    return make
