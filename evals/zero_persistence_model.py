"""The model that `evals.zero_persistence` asks: it says nothing but markers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from evals.zero_persistence_work import made


class Said:
    """A provider in this process that answers with markers of its own, and counts them all."""

    def __init__(self) -> None:
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Said"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0])
                request = json.loads(await reader.readexactly(size))
                body = _streamed(request) if request.get("stream") else _whole(request)
                kind = b"text/event-stream" if request.get("stream") else b"application/json"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (kind, len(body)))
                writer.write(body)
                await writer.drain()
        writer.close()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """The message that a model gives: never a word of what it was asked."""
    last = request["messages"][-1]
    text = next(_text(each["content"]) for each in request["messages"] if each["role"] == "user")
    word = made(text.partition("{")[2].partition("}")[0])
    if "[act]" in text and last["role"] == "user":
        name = request["tools"][0]["function"]["name"]
        call = {"name": name, "arguments": json.dumps({"words": word})}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": call}],
        }
    if "[schema]" in text and not any(each["role"] == "assistant" for each in request["messages"]):
        return {"role": "assistant", "content": json.dumps({"word": f"? {word}"})}  # it is asked again
    if request.get("response_format"):
        return {"role": "assistant", "content": json.dumps({"word": word})}
    return {"role": "assistant", "content": word}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(each.get("text", "") for each in content)


_USAGE: Final = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


def _whole(request: dict[str, Any]) -> bytes:
    message = _answer(request)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    made_of = {"id": "r", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": _USAGE}
    return json.dumps(made_of).encode()


def _streamed(request: dict[str, Any]) -> bytes:
    message = _answer(request)
    calls = [{"index": 0, **each} for each in message.pop("tool_calls", ())]
    delta = {**message, **({"tool_calls": calls} if calls else {})}
    about = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [
        {**about, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**about, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]},
        {**about, "choices": [], "usage": _USAGE},
    ]
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in events) + b"data: [DONE]\n\n"
