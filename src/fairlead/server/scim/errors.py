"""Errors as SCIM has them (RFC 7644, section 3.12)."""

from typing import Final

import msgspec

from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.identity.directory_refusals import Taken
from fairlead.identity.people_search import NotSearchable

_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_encode = msgspec.json.Encoder().encode


class BadPatch(BadInput):
    """An operation of a SCIM PATCH cannot be carried out.

    The message names the operation. None of the request's operations was carried out.
    """

    code = "bad_patch"

    def __init__(self, message: str, *, why: str = "", mend: str = "", kind: str = "invalidValue") -> None:
        super().__init__(message, why=why, mend=mend)
        self.kind = kind


def encode_error(error: FairleadError) -> bytes:
    """As SCIM's clients know it."""
    return _encode(error_body(error))


def error_body(error: FairleadError) -> dict[str, str | list[str]]:
    """The error's message with its mend, under the kind that clients know."""
    said = ". ".join(each for each in (error.message, error.why, error.mend) if each)
    body: dict[str, str | list[str]] = {
        "schemas": [_ERROR],
        "status": str(error.status),
        "detail": f"[{error.code}] {said}",
    }
    kind = _kind(error)
    return body | {"scimType": kind} if kind else body


def _kind(error: FairleadError) -> str:
    if isinstance(error, BadPatch):
        return error.kind
    if isinstance(error, Taken):
        return "uniqueness"
    if isinstance(error, NotSearchable):
        return "invalidFilter"
    if isinstance(error, BadInput) and not isinstance(error, NotFound) and error.status == 400:
        return "invalidValue" if error.param else "invalidSyntax"
    return ""
