"""What stands before and after every operation: scope, binding of browser keys, audit."""

import hmac

from starlette.requests import Request
from starlette.responses import Response

from endcap.access.sealing import derived
from endcap.core.access import Caller
from endcap.core.errors import Forbidden, Unauthenticated
from endcap.services.audit import AuditEntry
from endcap.web.call import Call
from endcap.web.operations import Operation

from .door import Door


class Guard:
    """Admits callers to operations and records what they changed or read of persons."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._subject_key = derived(door.security.secret, "audit-subject:v1")

    async def admit(self, operation: Operation, request: Request) -> Caller:
        """The caller, when it may call the operation.

        Raises Unauthenticated or InvalidToken (who are you?) or Forbidden (you may not).
        """
        if operation.scope == "open":
            return Caller(kind="anonymous", name="", shop=self.door.shop_of(request))
        caller = await self.door.caller(request)
        if operation.scope in caller.scopes and (operation.browser or caller.kind != "browser"):
            return caller
        if caller.kind == "anonymous":
            raise Unauthenticated
        raise Forbidden(f"needs the scope `{operation.scope}`, which this caller does not have")

    async def recorded(self, operation: Operation, call: Call, response: Response) -> Response:
        """The response, after the call is in the audit log. Raises StoreUnavailable."""
        if operation.browser and call.request.headers.get("sec-gpc") == "1":
            response.headers["sec-gpc"] = "1"  # so that the page can show that it is honoured
        if not operation.audited or response.status_code >= 400:
            return response
        security, request, caller = self.door.security, call.request, call.caller
        entry = AuditEntry(
            at=security.clock(),
            actor=caller.audited_as,
            operation=operation.id,
            target=self._target(operation, request, caller.shop),
            status=response.status_code,
            request_id=request.state.request_id,
        )
        await security.audit.add(caller.shop, entry)
        return response

    def subject(self, shop: str, visitor: str) -> str:
        """How the audit log names a visitor: a hash under a key of its own."""
        message = f"{shop}\0{visitor}".encode()
        return "visitor:" + hmac.digest(self._subject_key, message, "sha256").hex()[:32]

    def _target(self, operation: Operation, request: Request, shop: str) -> str:
        names = request.path_params.values()
        target = "/".join(str(name) for name in names)
        return self.subject(shop, target) if operation.personal and target else target[:200]
