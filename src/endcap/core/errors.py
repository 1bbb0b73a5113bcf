"""Every error a caller can meet: one class each, with its HTTP status, code and advice."""

from collections.abc import Sequence

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """One thing wrong with one field; `pointer` is an RFC 6901 JSON pointer into the input."""

    pointer: str
    code: str
    message: str


class EndcapError(Exception):
    """The server could not do what was asked; the log has the cause under the request id."""

    status = 500
    code = "internal_error"
    title = "Internal error"
    retry_after: int | None = None

    def __init__(self, detail: str = "", problems: Sequence[FieldProblem] = ()) -> None:
        self.detail = detail or (type(self).__doc__ or "")
        self.problems = tuple(problems)
        super().__init__(self.detail)


class MalformedBody(EndcapError):
    """The body is not what its content type says; nothing was stored. Send valid UTF-8 JSON."""

    status = 400
    code = "malformed_body"
    title = "Malformed body"


class InvalidInput(EndcapError):
    """One or more fields are not acceptable; `errors` names each of them. Nothing was stored."""

    status = 422
    code = "invalid_input"
    title = "Invalid input"


class BodyTooLarge(EndcapError):
    """The body is larger than this operation accepts; send it in smaller parts."""

    status = 413
    code = "body_too_large"
    title = "Body too large"


class NotFound(EndcapError):
    """There is nothing under this name."""

    status = 404
    code = "not_found"
    title = "Not found"


class UnknownPlacement(NotFound):
    """No placement has this name; `detail` lists the nearest names. Names are case-sensitive."""

    code = "unknown_placement"
    title = "Unknown placement"


class VersionConflict(EndcapError):
    """Somebody else changed it since you read it; read it again and repeat your change."""

    status = 409
    code = "version_conflict"
    title = "Version conflict"


class Unauthenticated(EndcapError):
    """This server asks for a key; send it as `Authorization: Bearer KEY`."""

    status = 401
    code = "unauthenticated"
    title = "Unauthenticated"


class InvalidToken(Unauthenticated):
    """The token or key is not valid (any more); get a new one and send the request again."""

    code = "invalid_token"
    title = "Invalid token"


class Forbidden(EndcapError):
    """The caller is known but may not do this; `detail` names the scope it would need."""

    status = 403
    code = "forbidden"
    title = "Forbidden"


class TooManyRequests(EndcapError):
    """This caller, visitor or address asks faster than it may; wait as `Retry-After` says."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"
    retry_after = 1


class VisitorErased(EndcapError):
    """The visitor asked to be erased, which is being done; nothing new of it is kept until then."""

    status = 409
    code = "visitor_erased"
    title = "Visitor erased"


class AddressRefused(EndcapError):
    """This server does not call that address: use https and a public host, or name it as one of
    the setting `private_hosts`.
    """

    status = 422
    code = "address_refused"
    title = "Address refused"


class CallFailed(EndcapError):
    """The other server did not answer as it should; `detail` says what happened."""

    status = 424
    code = "call_failed"
    title = "Call failed"


class StoreUnavailable(EndcapError):
    """The store did not take the data, so nothing was acknowledged; send it again later."""

    status = 503
    code = "store_unavailable"
    title = "Store unavailable"
    retry_after = 1


class Overloaded(EndcapError):
    """More work is waiting than the server may queue; send it again after the pause."""

    status = 503
    code = "overloaded"
    title = "Overloaded"
    retry_after = 1


class ConfigurationError(EndcapError):
    """The configuration cannot work; the message says which setting and what to do."""

    code = "configuration_error"
    title = "Configuration error"


class SnapshotRefused(EndcapError):
    """A snapshot is torn, partial or of another format; the last good one stays in use."""

    code = "snapshot_refused"
    title = "Snapshot refused"
