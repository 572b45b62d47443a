"""What a call came to, in the protocol's form. An error of the call is a result too, so that the agent reads what was
wrong and mends its plan."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from fairlead.errors import BadInput, FairleadError, Overloaded
from fairlead.execution.tool_asking import ToolAnswer
from fairlead.tools.types import Blob, Link, Piece, Resource, Text

_SHOWN: Final = ("image", "audio")


def answered(answer: ToolAnswer, *, any_data: bool) -> dict[str, Any]:
    """`any_data`: the revision takes any JSON as structured content, and not only objects."""
    result = answer.result
    content = [_block(each) for each in result.pieces]
    found: dict[str, Any] = {"content": content, "isError": result.failed, "_meta": _about(answer)}
    if result.structured is not None:
        if not content:
            content.append({"type": "text", "text": msgspec.json.encode(result.structured).decode()})
        if any_data or isinstance(result.structured, Mapping):
            found["structuredContent"] = result.structured
    return found


def refused(error: FairleadError) -> dict[str, Any]:
    """An error as a result: what was wrong, why, and what to do instead, in lines for the agent; its code and run for
    programs."""
    lines = [error.message]
    lines += [f"why: {error.why}"] if error.why else []
    lines += [f"instead: {error.mend}"] if error.mend else []
    about = {"fairlead/code": error.code, "fairlead/run": error.run}
    if isinstance(error, Overloaded) and error.retry_after:
        about["fairlead/retry_after"] = f"{error.retry_after:.1f}"
    if isinstance(error, BadInput) and error.param:
        about["fairlead/param"] = error.param
    return {
        "content": [{"type": "text", "text": "\n".join(lines)}],
        "isError": True,
        "_meta": {name: value for name, value in about.items() if value},
    }


def _about(answer: ToolAnswer) -> dict[str, Any]:
    return {
        "fairlead/run": answer.run,
        "fairlead/cost": answer.cost / answer.unit.worth,
        "fairlead/currency": answer.unit.name,
        "fairlead/source": answer.source,
        "fairlead/labels": sorted(answer.labels.categories),
        "fairlead/class": answer.labels.data_class.name,
        "fairlead/rights": answer.credential,
    }


def read(answer: ToolAnswer, asked: str, outer: Callable[[str], str]) -> dict[str, Any]:
    """What a resource holds. `outer` gives its address as the client knows it."""
    return {"contents": [_content(each, asked, outer) for each in answer.result.pieces], "_meta": _about(answer)}


def prompted(answer: ToolAnswer) -> dict[str, Any]:
    """A prompt's messages. The path keeps what they say apart from who says it."""
    told = answer.result.structured
    messages = [
        {"role": role, "content": _block(piece)}
        for role, piece in zip(told["roles"], answer.result.pieces, strict=True)
    ]
    about = {"description": told["description"]} if told["description"] else {}
    return {**about, "messages": messages, "_meta": _about(answer)}


def _content(piece: Piece, asked: str, outer: Callable[[str], str]) -> dict[str, Any]:
    if not isinstance(piece, Resource):
        return {"uri": asked, "mimeType": "text/plain", "text": piece.text if isinstance(piece, Text) else ""}
    about = {"uri": outer(piece.uri)} | ({"mimeType": piece.mime} if piece.mime else {})
    return about | ({"text": piece.text} if piece.text is not None else {"blob": piece.data})


def _block(piece: Piece) -> dict[str, Any]:
    match piece:
        case Text(text):
            return {"type": "text", "text": text}
        case Blob(mime, data):
            kind = mime.partition("/")[0]
            if kind in _SHOWN:
                return {"type": kind, "mimeType": mime, "data": data}
            return {"type": "resource", "resource": {"uri": "fairlead:result", "mimeType": mime, "blob": data}}
        case Resource(uri):
            return {"type": "resource", "resource": _content(piece, uri, str)}
        case Link(uri, name, mime):
            link = {"type": "resource_link", "uri": uri, "name": name or uri}
            return link | ({"mimeType": mime} if mime else {})
