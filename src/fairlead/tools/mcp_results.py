"""What a server of the Model Context Protocol gives back, as pieces."""

import binascii
from typing import Any

import msgspec
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_failures import too_large
from fairlead.tools.types import Blob, Link, Piece, Resource, Text, ToolResult


def read_result(result: CallToolResult, *, most_bytes: int, system: str) -> ToolResult:
    """The result, once it is known to be no larger than `most_bytes` and to say what it says exactly."""
    pieces = tuple(piece_of(each, system) for each in result.content)
    made = ToolResult(pieces=pieces, structured=result.structured_content, failed=result.is_error)
    return bounded(made, most_bytes=most_bytes, system=system)


def bounded(result: ToolResult, *, most_bytes: int, system: str) -> ToolResult:
    """The same, once it is known to be no larger than that. Raises `ResultTooLarge`, `SystemFailed`."""
    size = sum(_size(each) for each in result.pieces)
    if size <= most_bytes and result.structured is not None:
        size += len(_plain(result.structured, system))
    if size <= most_bytes and result.questions is not None:
        size += len(_plain(result.questions.asked, system)) + len(result.questions.state or "")
    if size > most_bytes:
        raise too_large(system, most_bytes)
    return result


def piece_of(block: ContentBlock, system: str) -> Piece:
    """A content block of MCP as a piece of a result. Raises `SystemFailed` for bytes that are no base64."""
    if isinstance(block, TextContent):
        return Text(block.text)
    if isinstance(block, ImageContent | AudioContent):
        return _blob(block.mime_type, block.data, system)
    if isinstance(block, ResourceLink):
        return Link(str(block.uri), block.title or block.name, block.mime_type or "")
    return content_of(block.resource, system)


def content_of(resource: TextResourceContents | BlobResourceContents, system: str) -> Resource:
    """Content that has an address. Raises `SystemFailed` where it is not what it says it is."""
    if isinstance(resource, TextResourceContents):
        return Resource(str(resource.uri), resource.mime_type or "", text=resource.text)
    blob = _blob(resource.mime_type or "application/octet-stream", resource.blob, system)
    return Resource(str(resource.uri), blob.mime, data=blob.data)


def _blob(mime: str, data: str, system: str) -> Blob:
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError as error:
        raise _inexact(system, "a picture, a sound or a file in it is not base64") from error
    return Blob(mime, data)


def _size(piece: Piece) -> int:
    match piece:
        case Text(text):
            return len(text.encode(errors="surrogatepass"))
        case Blob(_, data):
            return len(data)
        case Link(uri, name, _):
            return len(uri) + len(name)
        case Resource(uri, _, text, data):
            return len(uri) + len((text or "").encode(errors="surrogatepass")) + len(data)


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
