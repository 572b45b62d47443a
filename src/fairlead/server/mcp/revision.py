"""Which revision of the protocol a request speaks. Up to 2025-11-25 a client shakes hands first; from 2026-07-28 on
each request says everything itself, in `_meta` and again in headers that what stands between may read.

This door keeps no state between requests in either case, so any worker may answer any of them.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fairlead.server.http import Scope
from fairlead.server.mcp.message import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Message, Unanswerable

HANDSHAKES: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS: Final = ("2026-07-28",)
_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_NUMBER: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
_PARAM: Final = b"mcp-param-"
_HEADERS: Final = (b"mcp-protocol-version", b"mcp-method", b"mcp-name")


def revision_of(scope: Scope, message: Message) -> str:
    """The revision to answer in. Raises `Unanswerable` where the request contradicts itself or names an unknown one."""
    headers = _told(scope)
    said = headers.get(b"mcp-protocol-version")
    meta = message.params.get("_meta")
    envelope = isinstance(meta, Mapping) and _VERSION in meta
    if said is None and not envelope:
        return HANDSHAKES[1]  # what a client speaks that does not say it (2025-03-26 had no header yet)
    if said in HANDSHAKES and not envelope:
        return str(said)
    if not isinstance(message.id, str | int):
        if said in STATELESS:  # a notification: nothing more is asked of it
            return str(said)
        raise _unsupported(said)
    if not isinstance(meta, Mapping):
        raise (
            _unsupported(said)
            if said not in STATELESS
            else Unanswerable(INVALID_PARAMS, f"params._meta must have {_VERSION} and {_CAPABILITIES}")
        )
    return _enveloped(message, meta, headers)


def _enveloped(message: Message, meta: Mapping[str, Any], headers: Mapping[bytes, str]) -> str:
    if missing := [key for key in (_VERSION, _CAPABILITIES) if key not in meta]:
        raise Unanswerable(INVALID_PARAMS, f"params._meta lacks {' and '.join(missing)}")
    version = meta[_VERSION]
    if headers.get(b"mcp-protocol-version") != version:
        raise Unanswerable(HEADER_MISMATCH, "the header mcp-protocol-version differs from the message's own version")
    if headers.get(b"mcp-method") != message.method:
        raise Unanswerable(HEADER_MISMATCH, "the header mcp-method differs from the message's method")
    key = _NAMED.get(message.method)
    if key is not None and key in message.params and _decoded(headers.get(b"mcp-name")) != message.params[key]:
        raise Unanswerable(HEADER_MISMATCH, f"the header mcp-name differs from the message's {key}")
    if version not in STATELESS:
        raise _unsupported(version)
    return str(version)


def _told(scope: Scope) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _HEADERS:
            if name in found:
                raise Unanswerable(HEADER_MISMATCH, f"the header {name.decode()} was sent twice")
            found[name] = value.decode("latin-1").strip(" \t")
    return found


def refuse_other_arguments(scope: Scope, mirrored: Mapping[str, str], arguments: Mapping[str, Any]) -> None:
    """Headers may repeat arguments, for what stands between to read: they must not say otherwise than the message.
    `mirrored` are the arguments' names by the header's. Raises `Unanswerable`."""
    told: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name.startswith(_PARAM):
            key = name[len(_PARAM) :].decode("latin-1")
            if key in told:
                raise Unanswerable(HEADER_MISMATCH, f"the header {name.decode('latin-1')} was sent twice")
            told[key] = value.decode("latin-1").strip(" \t")
    for header, argument in mirrored.items():
        if not _says(told.get(header), arguments.get(argument)):
            raise Unanswerable(HEADER_MISMATCH, f"the header mcp-param-{header} differs from the argument {argument}")


def _says(header: str | None, value: Any) -> bool:
    """Whether a header repeats an argument. What has no form in a header is not repeated."""
    if value is None or isinstance(value, Mapping | list):
        return header is None
    said = _decoded(header)
    if said is None or isinstance(value, str):
        return bool(said == value)
    if isinstance(value, bool):
        return said == str(value).lower()
    return _NUMBER.fullmatch(said) is not None and Decimal(said) == Decimal(str(value))


def _decoded(value: str | None) -> str | None:
    """A header's value, which may be wrapped as `=?base64?…?=` where it is no plain text."""
    if value is None or not (value.startswith("=?base64?") and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _unsupported(version: Any) -> Unanswerable:
    supported = [*HANDSHAKES, *STATELESS]
    return Unanswerable(
        UNSUPPORTED_VERSION, "this revision is not spoken here", {"supported": supported, "requested": str(version)}
    )
