"""A model that answers at once, over HTTP: what a request costs upstream is next to nothing, and the same each time.

    python bench/upstream.py PORT

Says `ready` once it listens. A request whose body asks for JSON gets an object, every other one a few sentences.
"""

import asyncio
import json
import re
import sys
from typing import Any

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TEXT = "The delivery of Tuesday is complete, and what was missing follows with the next one on Thursday morning. "
_OBJECT = {"order": "A-1042", "supplier": "Meyer", "pieces": 12, "damaged": False}


def _answer(text: str, prompt: int, completion: int) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1795000000, "model": "instant"}
    body = json.dumps({**whole, "choices": [choice], "usage": usage}, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


_SAID, _TOLD = _answer(_TEXT * 3, 420, 66), _answer(json.dumps(_OBJECT), 300, 28)


class Upstream(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            request, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self._transport.write(_TOLD if b'"response_format"' in request else _SAID)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
