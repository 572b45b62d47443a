"""What a service's answer means: a result, a failed result that the agent should read, or an error of the path."""

from base64 import b64encode
from email.message import Message
from typing import Any, Final

import msgspec

from fairlead.clock import Clock
from fairlead.errors import DeadlineExceeded, RateLimited, Upstream
from fairlead.net.http_answer import HttpAnswer
from fairlead.net.pauses import retry_after
from fairlead.tools.failures import CredentialRefused, NotAuthorised, ResultTooLarge, SystemFailed
from fairlead.tools.types import Blob, Link, SystemCall, Text, ToolResult

_MOST_ERROR: Final = 16 << 10
_LONGEST_LINK: Final = 2048
_TEXT: Final = ("application/xml", "application/yaml", "application/x-ndjson", "application/javascript")


async def result_of(answer: HttpAnswer, call: SystemCall, name: str, clock: Clock) -> ToolResult:
    """The answer to a call of the system `name`. Raises `Upstream` and its kinds."""
    status = answer.status
    if 200 <= status < 300:
        return _result(answer, await whole(answer, call.most_bytes, name), status, name)
    if 400 <= status < 500 and status not in (401, 403, 407, 408, 421, 425, 429):
        body = await answer.start(min(_MOST_ERROR, call.most_bytes))
        return _failed(answer, body, status)
    answer.close()
    raise _refusal(answer, call, name, clock)


def _refusal(answer: HttpAnswer, call: SystemCall, name: str, clock: Clock) -> Upstream:
    status, tool = answer.status, f"{name}.{call.tool.name}"
    pause = retry_after(answer.headers.get("retry-after"), clock)
    if status in (401, 403):
        kind = CredentialRefused if status == 401 else NotAuthorised
        return kind(
            f"{name} does not let {call.person} do {call.tool.name} (HTTP {status})",
            why="it does not know the credential" if status == 401 else "its own rights forbid it",
            mend="sign in again, or correct its credential" if status == 401 else "ask its owner for the right",
            subject=name,
            retryable=False,
        )
    if status == 429:
        return RateLimited(
            f"{name} asks for a pause (HTTP 429)",
            why="" if pause is None else f"it asks to wait {pause:g} s",
            mend="wait, then call again",
            subject=name,
            retry_after=pause,
        )
    if 300 <= status < 400:
        return SystemFailed(
            f"{tool} was answered with a redirect (HTTP {status}), which is not followed",
            why="a credential goes only where the workspace sends it",
            mend=f"give the final address under `systems.{name}.url`",
            subject=name,
            retryable=False,
            charged=_unless_read(call),
        )
    return SystemFailed(
        f"{tool} failed (HTTP {status})",
        why="" if pause is None else f"it asks to wait {pause:g} s",
        mend="look in the system whether it was done, then call again",
        subject=name,
        retryable=status != 407,
        charged=_unless_read(call),
        retry_after=pause,
    )


def _unless_read(call: SystemCall) -> str:
    return "no" if call.tool.effect == "read" else "unknown"


async def whole(answer: HttpAnswer, most_bytes: int, name: str) -> bytes:
    """The whole body. Raises `ResultTooLarge` as soon as it is known to be."""
    declared = answer.headers.get("content-length", "")
    if not (declared.isdecimal() and len(declared) < 16 and int(declared) > most_bytes):
        parts, size = [], 0
        while part := await answer.more():
            size += len(part)
            if size > most_bytes:
                break
            parts.append(part)
        else:
            return b"".join(parts)
    answer.close()
    raise ResultTooLarge(
        f"{name} gave back more than {most_bytes} bytes",
        mend=f"ask for less, or raise `systems.{name}.most_bytes`",
        subject=name,
        retryable=False,
        charged="unknown",
    )


def _result(answer: HttpAnswer, body: bytes, status: int, name: str) -> ToolResult:
    pieces: list[Text | Blob | Link] = []
    location = answer.headers.get("location", "")
    if status in (201, 202) and location.isprintable() and 0 < len(location) <= _LONGEST_LINK:
        pieces.append(Link(uri=location, name="location"))
    if not body:
        return ToolResult(pieces=tuple(pieces))
    media = answer.content_type
    if media == "application/json" or media.endswith("+json"):
        try:
            data = msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise SystemFailed(
                f"{name} gave back what it calls JSON and is none",
                why=str(error),
                mend="tell its owner",
                subject=name,
                retryable=False,
                charged="unknown",
            ) from None
        pieces += _words(data)
        return ToolResult(pieces=tuple(pieces), structured=data)
    if not media or media.startswith("text/") or media in _TEXT or media.endswith(("+xml", "+yaml")):
        return ToolResult(pieces=(*pieces, Text(text=_text(answer, body))))
    return ToolResult(pieces=(*pieces, Blob(mime=media, data=b64encode(body).decode())))


def _failed(answer: HttpAnswer, body: bytes, status: int) -> ToolResult:
    """An answer that says what was wrong with the call: the agent reads it and mends its plan."""
    said = (Text(text=f"HTTP {status}"),)
    media = answer.content_type
    data = _data(body) if media == "application/json" or media.endswith("+json") else None
    if data is not None:
        return ToolResult(pieces=said, structured=data, failed=True)
    text = _text(answer, body) if media in ("", "text/plain") else ""
    return ToolResult(pieces=(*said, Text(text=text)) if text.strip() else said, failed=True)


def _data(body: bytes) -> Any:
    """What a body of JSON holds, None where it is none or was cut off."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _words(data: Any) -> list[Text]:
    return [Text(text=data)] if isinstance(data, str) else []


def _text(answer: HttpAnswer, body: bytes) -> str:
    header = Message()
    header["content-type"] = answer.headers.get("content-type", "")
    charset = header.get_content_charset("utf-8")
    return body.decode(charset if charset in ("iso-8859-1", "latin-1", "us-ascii") else "utf-8", "replace")


def in_our_words(error: Upstream, call: SystemCall, name: str) -> Upstream:
    """What the connection told of a model's server, of this system."""
    charged = "no" if error.charged == "no" else "unknown"
    if isinstance(error, DeadlineExceeded):
        return DeadlineExceeded(
            f"{name}.{call.tool.name} did not answer within the deadline",
            why="" if charged == "no" else "whether it was done is not known",
            mend="look in the system before calling again, or raise the system's `timeout`",
            subject=name,
            retryable=False,
            charged=charged,
        )
    return SystemFailed(
        f"{name} could not be called" if charged == "no" else f"{name} did not answer as it should",
        why=error.why or error.message.replace("the model's server", "it"),
        mend="check that it runs, and its address in the workspace",
        subject=name,
        retryable=error.retryable,
        charged=charged,
    )
