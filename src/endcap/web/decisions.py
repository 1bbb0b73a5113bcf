"""The operations of one kind of decision: list, read, look back, change, take out of use."""

from typing import Any

import msgspec
from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    NotFound,
    StoreUnavailable,
    VersionConflict,
)
from endcap.core.status import DecisionView
from endcap.services.decisions import decision

from .call import Call, answer, expected_version, number
from .operations import Operation, Parameter

NAME = Parameter("name", "Its name.", place="path")
IF_MATCH = Parameter("If-Match", "Change only this version.", place="header")
NOTE = Parameter("note", "Why it is changed; kept with the version.")
VERSION = Parameter("version", "An older version.", {"type": "integer", "minimum": 1})
CHANGE_ERRORS = (MalformedBody, InvalidInput, BodyTooLarge, VersionConflict, StoreUnavailable)


class Decisions(msgspec.Struct, frozen=True):
    """Decisions of a kind, or versions of one."""

    data: list[DecisionView]


class DecisionPages:
    """Handlers and operations of the decisions of one kind, at `/v1/<plural>`."""

    def __init__(self, kind: str, plural: str, shape: type[Any], example: Any) -> None:
        self._kind = kind
        self._plural = plural
        self._shape = shape
        self._example = example
        self._prefix = f"/v1/{plural}/"

    def operations(self) -> tuple[Operation, ...]:
        """All five."""
        kind, plural, one = self._kind, self._plural, self._prefix + "{name}"
        fields: dict[str, Any] = {"tag": plural.capitalize()}
        return (
            Operation(
                id=f"list_{plural}",
                method="GET",
                path=f"/v1/{plural}",
                handler=self._list,
                scope="recommendations:read",
                about=f"The live version of every {kind}.",
                answer=Decisions,
                **fields,
            ),
            Operation(
                id=f"get_{kind}",
                method="GET",
                path=one,
                handler=self._get,
                scope="recommendations:read",
                about=f"One {kind}, live or an older version.",
                parameters=(NAME, VERSION),
                answer=DecisionView,
                errors=(InvalidInput, NotFound),
                **fields,
            ),
            Operation(
                id=f"get_{kind}_versions",
                method="GET",
                path=f"{one}/versions",
                handler=self._versions,
                scope="recommendations:read",
                about="Every version, newest first.",
                parameters=(NAME,),
                answer=Decisions,
                errors=(InvalidInput, NotFound),
                **fields,
            ),
            Operation(
                id=f"put_{kind}",
                method="PUT",
                path=one,
                handler=self._put,
                scope="rules:edit",
                about="Store a new version, live at once. All problems are named, and then nothing "
                "is changed.",
                parameters=(NAME, NOTE, IF_MATCH),
                body=self._shape,
                body_example=self._example,
                answer=DecisionView,
                errors=CHANGE_ERRORS,
                **fields,
            ),
            Operation(
                id=f"delete_{kind}",
                method="DELETE",
                path=one,
                handler=self._delete,
                scope="rules:edit",
                about=f"Take a {kind} out of use. Its versions are kept.",
                parameters=(NAME,),
                status=204,
                errors=(InvalidInput, NotFound, StoreUnavailable),
                **fields,
            ),
        )

    async def _list(self, call: Call) -> Response:
        call.query()
        found = await call.services.decisions.list(call.shop, self._kind)
        return answer(Decisions(list(found)))

    async def _get(self, call: Call) -> Response:
        version = number(call.query(), "version", None)
        name = call.tail(self._prefix)
        return _tagged(await call.services.decisions.get(call.shop, self._kind, name, version))

    async def _versions(self, call: Call) -> Response:
        call.query()
        name = call.tail(self._prefix).removesuffix("/versions")
        found = await call.services.decisions.history(call.shop, self._kind, name)
        return answer(Decisions(list(found)))

    async def _put(self, call: Call) -> Response:
        note = call.query().get("note", [""])[-1][:2_000]
        body = await call.body(call.services.max_body)
        made = decision(self._kind, call.tail(self._prefix), body, note=note)
        return _tagged(await call.services.decisions.put(call.shop, made, expected_version(call)))

    async def _delete(self, call: Call) -> Response:
        call.query()
        await call.services.decisions.delete(
            call.shop, decision(self._kind, call.tail(self._prefix))
        )
        return Response(status_code=204)


def _tagged(view: DecisionView) -> Response:
    response = answer(view)
    response.headers["etag"] = f'"{view.version}"'
    return response
