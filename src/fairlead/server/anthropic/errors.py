"""Errors in the form that clients of the Messages protocol know, with what failed, why and what mends it beside."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.server.said import said

_encode = msgspec.json.Encoder().encode

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


class ErrorDetails(Struct, frozen=True, omit_defaults=True):
    """What Fairlead says beside the fields of this protocol."""

    code: str
    step: str = ""
    why: str = ""
    help: str = ""
    run: str = ""


class ErrorBody(Struct, frozen=True):
    """The `error` of a reply, as the Messages API (version 2023-06-01) has it."""

    type: str
    message: str


class ErrorReply(Struct, frozen=True):
    """The body of an error of that API. `request_id` is the run, where there is one."""

    type: str
    error: ErrorBody
    request_id: str | None
    fairlead: ErrorDetails


def encode_error(error: FairleadError) -> bytes:
    """The body of an error, or the data of an error's event."""
    return _encode(
        ErrorReply(
            type="error",
            error=ErrorBody(_TYPES.get(error.status, "api_error"), said(error)),
            request_id=error.run or None,
            fairlead=ErrorDetails(error.code, error.step, error.why, error.mend, error.run),
        )
    )
