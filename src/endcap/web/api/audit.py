"""The audit log: search it, and check that nobody tampered with it."""

from starlette.responses import Response

from endcap.core.errors import FieldProblem, InvalidInput, StoreUnavailable
from endcap.core.times import parse_time
from endcap.services.audit import AuditCheck, AuditFilter, AuditPage
from endcap.web.call import Call, answer, number
from endcap.web.operations import Operation, Parameter

MAX_LIMIT = 1_000


async def list_audit(call: Call) -> Response:
    """Entries, newest first."""
    query = call.query()

    def text(name: str) -> str:
        return query.get(name, [""])[-1]

    limit = number(query, "limit", 100) or 0
    if not 1 <= limit <= MAX_LIMIT:
        problem = FieldProblem("/query/limit", "out_of_range", f"must be 1 to {MAX_LIMIT}")
        raise InvalidInput("the page cannot be made", [problem])
    cursor = text("cursor")
    if cursor and not (len(cursor) == 16 and cursor.isascii() and cursor.isdigit()):
        problem = FieldProblem("/query/cursor", "invalid", "is not a cursor that this API gave")
        raise InvalidInput("the page cannot be made", [problem])
    wanted = AuditFilter(
        actor=text("actor"),
        operation=text("operation"),
        target=text("target"),
        since=_moment(text("since"), "since", 0),
        until=_moment(text("until"), "until", 2**62),
    )
    return answer(await call.services.security.audit.search(call.shop, wanted, cursor, limit))


async def check_audit(call: Call) -> Response:
    """Recompute the chain."""
    return answer(await call.services.security.audit.check(call.shop))


def _moment(text: str, name: str, default: int) -> int:
    if not text:
        return default
    try:
        return parse_time(text)
    except ValueError as error:
        message = "must be ISO 8601, like 2026-01-31T12:00:00Z"
        problem = FieldProblem(f"/query/{name}", "invalid", message)
        raise InvalidInput("the page cannot be made", [problem]) from error


OPERATIONS = (
    Operation(
        id="list_audit",
        method="GET",
        path="/v1/audit",
        handler=list_audit,
        scope="accounts:admin",
        tag="Audit",
        about="Who changed what, and who read what is kept of a person; newest first.",
        parameters=(
            Parameter("actor", "Only this actor, as `account:ana` or `key:ID`."),
            Parameter("operation", "Only this operation, by its id."),
            Parameter("target", "Only what was done to this."),
            Parameter("since", "Only from this time on, ISO 8601."),
            Parameter("until", "Only before this time, ISO 8601."),
            Parameter(
                "limit",
                "About how many entries a page has.",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100},
            ),
            Parameter("cursor", "Where the page before ended."),
        ),
        answer=AuditPage,
        errors=(InvalidInput, StoreUnavailable),
    ),
    Operation(
        id="check_audit",
        method="GET",
        path="/v1/audit/check",
        handler=check_audit,
        scope="accounts:admin",
        tag="Audit",
        about="Walk the whole audit log and recompute every hash; `intact` is false, and "
        "`broken_at` names the block, when anything was changed, dropped or put in.",
        answer=AuditCheck,
        errors=(StoreUnavailable,),
    ),
)
