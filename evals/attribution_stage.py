"""What `evals.attribution` runs on: models that say what they are told to say, and systems that hold what they are told
to hold, behind the same wires as real ones."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

TABLES: dict[str, dict[str, Any]] = {}
"""What each tool of the systems answers, by its name and the id that it is asked for."""

SYSTEM = '''
"""Records of the house."""
from typing import Any
from evals.attribution_stage import TABLES

READS = {{"{lookup}", "{stock}"}}


def {lookup}(id: str) -> dict[str, Any]:
    """The record of one item."""
    return TABLES["{name}.{lookup}"][id]


def {stock}(id: str) -> dict[str, Any]:
    """What is at hand of one item."""
    return TABLES["{name}.{stock}"][id]
'''

SYSTEMS = {"crm": ("record", "stock"), "ledger": ("entry", "balance")}


@dataclass
class Said:
    """One reply of a model: text, the calls of tools that it asks for, or an error's status. `of` is a text that stands
    in the only question which it answers."""

    text: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    status: int = 200
    finish: str = "stop"
    of: str = ""


Script = Callable[[str, dict[str, Any]], Said]
"""What a model says to a request: its name there, and the body."""


class Models:
    """A server that speaks OpenAI chat and says what `script` says."""

    def __init__(self) -> None:
        self.script: Script = lambda model, body: Said("yes")
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0] or 0)
                body = json.loads(await reader.readexactly(size) or b"{}")
                self.asked.append(body)
                said = self.script(body.get("model", ""), body)
                writer.write(_error(said) if said.status != 200 else _stream(said))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _error(said: Said) -> bytes:
    body = json.dumps({"error": {"message": "boom", "type": "api_error", "code": "api_error"}}).encode()
    head = f"HTTP/1.1 {said.status} no\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _stream(said: Said) -> bytes:
    calls = [
        {"index": number, "id": f"call_{number}", "type": "function",
         "function": {"name": name, "arguments": json.dumps(arguments)}}
        for number, (name, arguments) in enumerate(said.calls)
    ]  # fmt: skip
    delta: dict[str, Any] = {"role": "assistant", "content": said.text}
    if calls:
        delta["tool_calls"] = calls
    base = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else said.finish}]},
        {**base, "choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70}},
    ]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in events) + "data: [DONE]\n\n"
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body.encode())}\r\n\r\n"
    return (head + body).encode()


@asynccontextmanager
async def models() -> AsyncIterator[Models]:
    """The server, on a free port."""
    made = Models()
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


POLICIES = """
@id("everybody")
permit(principal, action, resource);
"""


def files() -> dict[str, str]:
    """The workspace beside fairlead.yaml: two systems, one kind of work with context, and policies that permit all."""
    found = {
        f"systems/{name}.py": SYSTEM.format(name=name, lookup=lookup, stock=stock)
        for name, (lookup, stock) in SYSTEMS.items()
    }
    return {
        **found,
        "tasks/advised.yaml": "description: Work by the rules of the house.\ncontext: 1500\nprefer: [alpha, beta]\n",
        "policies/base.cedar": POLICIES,
    }


def settings(url: str, *more: str) -> dict[str, Any]:
    """Keys of fairlead.yaml over those of the tests' world. `more` are models beside the usual ones."""

    def model(name: str) -> dict[str, Any]:
        return {"use": f"openai-compatible/{name}", "url": f"{url}/v1", "placement": {"kind": "cloud"}}

    names = ("alpha", "beta", "gamma", "delta", *more)
    return {
        "models": {name: model(name) for name in names},
        "prices": {name: {"input": 1, "output": 2} for name in names},
        "systems": {name: {"use": "python", "file": f"systems/{name}.py", "trusted": True} for name in SYSTEMS},
        "payloads": "keep",
    }
