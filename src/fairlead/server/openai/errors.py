"""Errors in the form that clients of OpenAI's protocols know, with what failed, why and what mends it beside."""

from typing import Any

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput, FairleadError
from fairlead.server.said import said

_encode = msgspec.json.Encoder().encode

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "insufficient_quota",
}


class ErrorDetails(Struct, frozen=True, omit_defaults=True):
    """What Fairlead says beside the fields of this protocol."""

    step: str = ""
    why: str = ""
    help: str = ""
    run: str = ""


class ErrorBody(Struct, frozen=True):
    """The `error` of a reply, as the OpenAI API (v1) has it."""

    message: str
    type: str
    param: str | None
    code: str
    fairlead: ErrorDetails


def encode_error(error: FairleadError) -> bytes:
    """The body of an error, or the data of an error's event."""
    body: dict[str, Any] = {
        "error": ErrorBody(
            message=said(error),
            type=_TYPES.get(error.status, "server_error"),
            param=(error.param or None) if isinstance(error, BadInput) else None,
            code=error.code,
            fairlead=ErrorDetails(error.step, error.why, error.mend, error.run),
        )
    }
    return _encode(body)
