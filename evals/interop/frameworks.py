"""Agents of frameworks, as their users write them, pointed at Fairlead by address and key alone.

    python -m evals.interop.frameworks [--keep]

`agents/` has a LangGraph agent (chat completions, Responses and Messages) and a CrewAI crew of two, which run in
environments of their own (`tools/interop.sh langgraph crewai`). The models behind Fairlead follow a script: they call
each tool that they are offered, once, and then say what the tools told them.

    checks    what was looked at: answers, tools, streams, schemas, errors as the frameworks show them, and that each
              question is one record with its person, cost and piece of work
    failed    the names of those that did not hold                                                       (none)
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.world import key_of

from evals.stage import Stage, parser, say, stage, told
from fairlead.costs.record import Record
from fairlead.storage.store import Store

_FOLDER: Final = Path(__file__).parent / "agents"
_FACTS: Final = ("there are 41", "it costs 3.50")
_PATIENCE: Final = 300.0
_BETWEEN: Final = 0.02  # seconds between two words
_POLICIES: Final = """
@id("all") permit(principal, action, resource);
@id("no-secret") @reason("the model `secret` is for nobody here")
forbid(principal, action == Action::"call_model", resource == Model::"secret");
"""


class Scripted:
    """The models, as a server for chat completions. `asked` are the requests that came."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(head.partition("content-length:")[2].partition("\r\n")[0])
                request = json.loads(await reader.readexactly(size))
                self.asked.append(request)
                streams = bool(request.get("stream"))
                pieces = _streamed(request) if streams else [_whole(request)]
                kind = "text/event-stream" if streams else "application/json"
                size = sum(map(len, pieces))
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n\r\n".encode())
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(_BETWEEN)
        writer.close()


def _message(request: dict[str, Any]) -> dict[str, Any]:
    tools = [each["function"] for each in request.get("tools") or ()]
    forced = request.get("tool_choice")
    if isinstance(forced, dict):
        tools = [each for each in tools if each["name"] == forced["function"]["name"]]
    results = [_text(each) for each in request["messages"] if each["role"] == "tool"]
    if tools and not results:
        calls = [
            {"id": f"call_{number}", "type": "function",
             "function": {"name": each["name"], "arguments": json.dumps(_fitting(each.get("parameters") or {}))}}
            for number, each in enumerate(tools)
        ]  # fmt: skip
        return {"role": "assistant", "content": None, "tool_calls": calls}
    wanted = (request.get("response_format") or {}).get("json_schema", {}).get("schema")
    if wanted:
        return {"role": "assistant", "content": json.dumps(_fitting(wanted))}
    text = " ".join(_text(each) for each in request["messages"])
    facts = [each for each in _FACTS if each in text]
    return {"role": "assistant", "content": f"Of paper: {' and '.join(facts) or 'nothing is known'}."}


def _fitting(schema: dict[str, Any]) -> dict[str, Any]:
    """The smallest thing that fits: what is ordered is 3 of paper."""
    values = {"integer": 3, "number": 3.0, "boolean": True, "array": [], "object": {}}
    return {name: values.get(each.get("type", "string"), "paper") for name, each in schema["properties"].items()}


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(str(each.get("text", "")) for each in content)


_USAGE: Final = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}


def _whole(request: dict[str, Any]) -> bytes:
    message = _message(request)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    about = {"id": "r", "object": "chat.completion", "created": 1, "model": request["model"]}
    return json.dumps({**about, "choices": [choice], "usage": _USAGE}).encode()


def _streamed(request: dict[str, Any]) -> list[bytes]:
    """Word by word."""
    message = _message(request)
    about = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": request["model"]}
    calls = [{"index": number, **each} for number, each in enumerate(message.get("tool_calls") or ())]
    words = (message["content"] or "").split(" ")
    pieces = [{"tool_calls": calls}] if calls else [
        {"content": word if number == 0 else f" {word}"} for number, word in enumerate(words)
    ]  # fmt: skip
    deltas = [{"role": "assistant"}, *pieces]
    events: list[dict[str, Any]] = [{**about, "choices": [{"index": 0, "delta": each}]} for each in deltas]
    reason = "tool_calls" if calls else "stop"
    events.append({**about, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    events.append({**about, "choices": [], "usage": _USAGE})
    return [*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in events), b"data: [DONE]\n\n"]


async def _run(script: str, place: Path, at: Stage, person: str) -> dict[str, Any]:
    """What an agent printed, as data; {} where it broke."""
    url, key = f"http://127.0.0.1:{at.port}", key_of(person)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(at.folder), "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key, "WORK": f"letter-of-{person}",
        "CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "OTEL_SDK_DISABLED": "true",
        "NO_COLOR": "1", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    with (at.folder / f"{script}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(place / "bin" / "python"), str(_FOLDER / script), cwd=at.folder, env=environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError:
            process.kill()
            out = b""
    lines = [each for each in out.decode().splitlines() if each.startswith("{")]
    if not lines:
        say((at.folder / f"{script}.log").read_text(errors="replace")[-3000:])
        return {}
    found: dict[str, Any] = json.loads(lines[-1])
    say(f"{script}: {json.dumps(found, indent=1)}")
    return found


def _graph(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    both = ["price paper", "stock paper"]
    for way in ("agent", "stream", "responses", "work"):
        it = found.get(way, {})
        yield f"langgraph {way}: answer", all(each in it.get("said", "") for each in _FACTS)
        yield f"langgraph {way}: tools", it.get("called") == both
    yield "langgraph: streamed in pieces", found.get("stream", {}).get("pieces", 0) > 3
    yield "langgraph: tokens", found.get("agent", {}).get("tokens") == 30
    yield "langgraph: schema", found.get("structured") == {"item": "paper", "count": 3}
    denied, unknown = found.get("denied", {}), found.get("unknown", {})
    yield "langgraph: a denial is the framework's own error", denied.get("kind", "").endswith("PermissionDeniedError")
    yield "langgraph: a denial says why", "for nobody here" in denied.get("said", "") + denied.get("body", "")
    yield "langgraph: an unknown model", "NotFound" in unknown.get("kind", "") and "none-such" in unknown["said"]


def _messages(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    it = found.get("agent", {})
    yield "messages: answer", all(each in it.get("said", "") for each in _FACTS)
    yield "messages: tools", it.get("called") == ["price paper", "stock paper"]
    yield "messages: stream", "nothing is known" in found.get("stream", "")
    yield "messages: schema", found.get("structured") == {"item": "paper", "count": 3}


def _crew(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    it, denied = found.get("crew", {}), found.get("denied", {})
    yield "crewai: tools", it.get("called") == ["price paper", "stock paper"]
    yield "crewai: the first hands on what it found", all(each in it.get("found", "") for each in _FACTS)
    yield "crewai: the second writes of it", all(each in it.get("said", "") for each in _FACTS)
    yield "crewai: tokens", it.get("tokens", 0) >= 90
    yield "crewai: schema", found.get("structured") == {"item": "paper", "count": 3}
    yield "crewai: a denial says why", "for nobody here" in denied.get("said", "")


def _books(records: list[Record], asked: int) -> Iterator[tuple[str, bool]]:
    calls = [each for each in records if each.kind == "call_model"]
    done = [each for each in calls if each.outcome == "done"]
    denied = [each for each in calls if each.outcome == "refused" and "no-secret" in each.policies]
    people = {each.person for each in done}
    yield "books: a record for each question", len(done) == asked
    yield "books: priced by their tokens", {each.cost for each in done} == {20 * 2_000 + 10 * 8_000}
    yield "books: two persons", len(people) == 2 and "" not in people
    yield (
        "books: three doors",
        {each.door for each in done} == {"openai.chat", "openai.responses", "anthropic.messages"},
    )
    yield "books: denials with their policy", len(denied) >= 2
    yield "books: two pieces of work", len({each.within for each in done if each.within}) == 2


async def measure(cache: Path, keep: bool) -> dict[str, Any]:
    scripted = Scripted()
    server = await scripted.start()
    model = {"use": "openai-compatible/m", "url": f"{scripted.url}/v1", "placement": {"kind": "on_prem"}}
    price = {"input": 2, "output": 8}
    whole = {"models": {"small": model, "secret": model}, "prices": {"small": price, "secret": price}}
    async with server, stage(1, whole, keep=keep, files={"policies/main.cedar": _POLICIES}) as at:
        graph = await _run("langgraph_agent.py", cache / "langgraph", at, "kim")
        messages = await _run("anthropic_agent.py", cache / "langgraph", at, "kim")
        crew = await _run("crewai_crew.py", cache / "crewai", at, "lee")
        records = await asyncio.to_thread(_records, at)
    checks = dict([*_graph(graph), *_messages(messages), *_crew(crew), *_books(records, len(scripted.asked))])
    return {"checks": len(checks), "failed": [name for name, held in checks.items() if not held],
            "questions": len(scripted.asked)}  # fmt: skip


def _records(at: Stage) -> list[Record]:
    from tests.world import State

    store = Store.open(at.database)
    try:
        return State(store).records()
    finally:
        store.close()


def main() -> int:
    given = parser(__doc__).parse_args()
    cache = Path(os.environ.get("FAIRLEAD_INTEROP", "~/.cache/fairlead-interop")).expanduser()
    result = asyncio.run(measure(cache, given.keep))
    return told(result, bool(result["failed"]))


if __name__ == "__main__":
    sys.exit(main())
