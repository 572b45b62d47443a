"""What a server of the Model Context Protocol gives back, as pieces."""

import binascii
from typing import Any

import msgspec
from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_failures import too_large
from fairlead.tools.types import Blob, Link, Piece, Text, ToolResult


def read_result(result: CallToolResult, *, most_bytes: int, system: str) -> ToolResult:
    """The result, once it is known to be no larger than `most_bytes` and to say what it says exactly."""
    pieces = tuple(_piece(each, system) for each in result.content)
    size = sum(_size(each) for each in pieces)
    if size <= most_bytes and result.structured_content is not None:
        size += len(_plain(result.structured_content, system))
    if size > most_bytes:
        raise too_large(system, most_bytes)
    return ToolResult(pieces=pieces, structured=result.structured_content, failed=result.is_error)


def _piece(block: ContentBlock, system: str) -> Piece:
    if isinstance(block, TextContent):
        return Text(block.text)
    if isinstance(block, ImageContent | AudioContent):
        return _blob(block.mime_type, block.data, system)
    if isinstance(block, ResourceLink):
        return Link(str(block.uri), block.title or block.name, block.mime_type or "")
    resource = block.resource
    if isinstance(resource, TextResourceContents):
        return Text(resource.text)
    return _blob(resource.mime_type or "application/octet-stream", resource.blob, system)


def _blob(mime: str, data: str, system: str) -> Blob:
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise _inexact(system, "a picture, a sound or a file in it is not base64") from error
    return Blob(mime, data)


def _size(piece: Piece) -> int:
    if isinstance(piece, Text):
        return len(piece.text.encode(errors="surrogatepass"))
    return len(piece.data) if isinstance(piece, Blob) else len(piece.uri) + len(piece.name)


def _plain(structured: Any, system: str) -> bytes:
    try:
        return msgspec.json.encode(structured)
    except (OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise _inexact(system, "it holds a number, a character or a depth that JSON cannot say exactly") from error


def _inexact(system: str, why: str) -> SystemFailed:
    return SystemFailed(
        f"{system} answered with what cannot be read",
        why=why,
        mend="tell whoever runs the system",
        subject=system,
        retryable=False,
        charged="unknown",
    )
