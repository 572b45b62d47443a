"""A model provider that misbehaves on demand: a real HTTP server with its own ledger of what it charged.

    python -m tests.faults.provider --port 0 [--ledger FILE]     prints its URL, then serves
    async with Provider() as provider: ...                       the same, inside a test

It speaks OpenAI chat and embeddings, Anthropic Messages, Ollama, Gemini and Bedrock. A fault is chosen, first match
wins, by the header `x-fault`, by the model's name (`fault-NAME`), or by `POST /faults {"next": [NAME, …], "always":
NAME}`; `FAULTS` lists the names. `GET /ledger` and `GET /received` tell what was charged and what came in. Nothing here
is random.
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, Self

from tests.faults import frames, wires
from tests.faults.vector_wires import VECTOR_FAULTS
from tests.faults.wires import ANTHROPIC, BEDROCK, GOOGLE, OLLAMA, OPENAI, Asked, Reply

RETRY_DATE = 1_900_000_000
HANG_S = 3600.0
SECRET_PATH = "/srv/models/tiny/llama.py"

# Answers with an error status: status, message, the provider's code, further headers.
ERRORS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "429": (429, "slow down", "rate_limit_error", {}),
    "429-seconds": (429, "slow down", "rate_limit_error", {"retry-after": "7"}),
    "429-date": (429, "slow down", "rate_limit_error", {"retry-after": formatdate(RETRY_DATE, usegmt=True)}),
    "429-quota": (429, "You exceeded your current quota", "insufficient_quota", {}),
    "401": (401, "Incorrect API key provided: sk-very-secret", "authentication_error", {}),
    "403": (403, "not for you", "permission_error", {}),
    "404": (404, "The model does not exist", "model_not_found", {}),
    "408": (408, "took too long", "timeout", {}),
    "409": (409, "conflict", "conflict", {}),
    "400": (400, "temperature must be at most 2", "invalid_request_error", {}),
    "400-context": (400, "the prompt is too long: 9000 tokens", "context_length_exceeded", {}),
    "400-context-llama": (400, "request exceeds the available context size", "exceed_context_size_error", {}),
    "400-path": (400, f'File "{SECRET_PATH}", line 12, in run: bad role at {SECRET_PATH}', "invalid_request_error", {}),
    "400-model": (400, "model not found: tiny", "invalid_request_error", {}),
    "301": (301, "moved", "moved", {"location": "http://127.0.0.1:9/elsewhere"}),
    "500": (500, "boom", "api_error", {}),
    "502": (502, "bad gateway", "api_error", {}),
    "503": (503, "Loading model", "unavailable_error", {}),
    "504": (504, "gateway timeout", "api_error", {}),
    "529": (529, "Overloaded", "overloaded_error", {}),
}
# Answers with status 200, or with none.
ODDITIES = (
    "422-detail", "500-text", "slow-first-byte", "hang", "reset-before-reply", "reset-after-headers", "reset-mid-body",
    "half-closed", "no-done", "done-without-finish", "malformed-stream", "split-every-byte", "crlf", "one-read",
    "error-object", "error-string", "error-garbage", "error-first", "no-usage", "nonsense-usage", "trickle", "stall",
    "empty-stream", "wrong-content-type", "json-for-stream", "stream-for-json", "huge-body", "ignore-max-tokens",
    "html", "not-http", "close-after-reply", "holds-open", "compressed", "charge-then-die",
)  # fmt: skip
FAULTS = (*ERRORS, *ODDITIES)
HELD = ("held", "held-then-500")  # what comes, comes once the provider's `released` is set
_UNFINISHED = frozenset(
    ("half-closed", "reset-mid-body", "stall", "error-object", "error-string", "error-garbage", "error-first",
     "malformed-stream", "holds-open")
)  # fmt: skip


@dataclass
class Charge:
    """One entry of the ledger. `outcome` is refused, working, complete, part or abandoned (the client left).

    The file gets a line at each change, before the client can know of it; the last line of a number counts.
    """

    number: int
    request: str
    model: str
    fault: str
    input: int = 0
    output: int = 0
    outcome: str = "working"


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Closed(Exception):
    """The connection is not to be used again."""


@dataclass
class Provider:
    """A running provider. Made for tests: read `ledger`, `received` and `connections`, set `next` and `always`."""

    port: int = 0
    host: str = "127.0.0.1"
    ledger_file: Path | None = None
    pause: float = 0.01
    released: asyncio.Event = field(default_factory=asyncio.Event)
    headers: dict[str, str] = field(default_factory=dict)  # further ones of whole answers
    ledger: list[Charge] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    always: str = ""
    connections: int = 0
    url: str = ""
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=64 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError:
                    break
                await self._answer(await _received(head, reader, number), reader, writer)
        except (_Closed, ConnectionError):
            return
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if wires.wire_of(request.path) is not None:
            self.received.append(request)
            await self._exchange(request, reader, writer)
        elif request.path in ("/v1/models", "/api/tags", "/v1beta/models?pageSize=1000", "/foundation-models"):
            listed = {
                "data": [{"id": "tiny", "object": "model"}],
                "models": [{"name": "models/tiny" if "v1beta" in request.path else "tiny", "model": "tiny"}],
                "modelSummaries": [{"modelId": "tiny"}],
            }
            await _send(writer, 200, json.dumps(listed).encode())
        elif request.path == "/ledger":
            await _send(writer, 200, json.dumps([asdict(charge) for charge in self.ledger]).encode())
        elif request.path == "/received":
            seen = [{"path": each.path, "headers": each.headers, "body": each.json} for each in self.received]
            await _send(writer, 200, json.dumps(seen).encode())
        elif request.path == "/faults":
            wanted = request.json
            self.next, self.always = list(wanted.get("next", [])), wanted.get("always", "")
            await _send(writer, 200, b"{}")
        else:
            await _send(writer, 404, b'{"detail":"Not Found"}')

    def _fault(self, request: Received, model: str) -> str:
        if named := request.headers.get("x-fault"):
            return named
        if model.startswith("fault-"):
            return model.removeprefix("fault-")
        return self.next.pop(0) if self.next else self.always

    async def _exchange(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = wires.read(request.path, request.json)
        fault = self._fault(request, asked.model)
        id_ = request.headers.get("idempotency-key") or request.headers.get("x-request-id", "")
        charge = Charge(len(self.ledger), id_, asked.model, fault)
        self.ledger.append(charge)
        try:
            await _Exchange(
                asked, fault, charge, reader, writer, self.pause, self.released, self.headers, self.write_down
            ).run()
        except (ConnectionError, asyncio.CancelledError):
            charge.outcome = "abandoned"
            raise
        finally:
            self.write_down(charge)

    def write_down(self, charge: Charge) -> None:
        """Add the charge as it stands to the ledger's file, if there is one."""
        if self.ledger_file is not None:
            with self.ledger_file.open("a") as file:
                file.write(json.dumps(asdict(charge)) + "\n")


@dataclass
class _Exchange:
    asked: Asked
    fault: str
    charge: Charge
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pause: float
    released: asyncio.Event
    headers: dict[str, str]
    write_down: Callable[[Charge], None]

    async def run(self) -> None:
        """Answer one request, or fail to in the way that the fault says."""
        if self.fault and self.fault not in (*FAULTS, *HELD, *(VECTOR_FAULTS if self.asked.texts else ())):
            raise AssertionError(f"no such fault: {self.fault}")
        if self.fault in HELD:
            await self.released.wait()
            if self.reader.at_eof():
                raise ConnectionResetError
            self.fault = self.fault.removeprefix("held").removeprefix("-then-")
        self.charge.outcome = "refused"
        if await self._refused():
            return
        self.charge.outcome = "working"
        await self._before_reply()
        reply = wires.reply_to(self.asked, ignore_limit=self.fault == "ignore-max-tokens")
        self.charge.input = self.asked.input
        usage: Any = wires.counts(self.asked, reply)
        if self.fault == "no-usage":
            usage = None
        elif self.fault == "nonsense-usage":
            usage = {name: -5 if n == 0 else "many" for n, name in enumerate(usage)}
        streamed = (self.asked.stream or self.fault == "stream-for-json") and self.fault != "json-for-stream"
        streamed = streamed and not self.asked.texts
        await (self._stream(reply, usage) if streamed else self._whole(reply, usage))
        if self.fault == "close-after-reply":
            raise _Closed

    async def _refused(self) -> bool:
        if self.fault in ERRORS:
            status, message, code, headers = ERRORS[self.fault]
            body = json.dumps(wires.error_body(self.asked.wire, status, message, code)).encode()
            if self.asked.wire == BEDROCK:
                headers = {**headers, "x-amzn-errortype": f"{code}:http://internal.amazon.example/"}
            await _send(self.writer, status, body, **headers)
        elif self.fault == "422-detail":
            await _send(self.writer, 422, b'{"detail":[{"loc":["body","x"],"msg":"Extra inputs are not permitted"}]}')
        elif self.fault == "500-text":
            await _send(self.writer, 500, b"Internal Server Error", content_type="text/plain")
            # As uvicorn does after a 500: gone, without a word.
            raise _Closed
        elif self.fault == "html":
            await _send(
                self.writer, 200, b"<html><body>It works</body></html>", content_type="text/html; charset=utf-8"
            )
        elif self.fault == "compressed":
            await _send(self.writer, 200, b"\x1f\x8b\x08", content_encoding="gzip")
        elif self.fault == "not-http":
            self.writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            raise _Closed
        elif self.fault == "reset-before-reply":
            self._reset()
        else:
            return False
        return True

    async def _before_reply(self) -> None:
        if self.fault in ("slow-first-byte", "hang"):
            self.charge.outcome = "part"
            await self._wait_for_client_to_leave(HANG_S)
        if self.fault == "charge-then-die":
            self.charge.input, self.charge.output = self.asked.input, 5
            self.charge.outcome = "part"
            self.write_down(self.charge)
            self._reset()

    async def _whole(self, reply: Reply, usage: Any) -> None:
        body = json.dumps(wires.whole(self.asked, reply, usage, self.fault), ensure_ascii=False).encode()
        if self.fault == "huge-body":
            await self._endless(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", b" " * 65536)
        if self.fault == "empty-stream":
            body = b""
        if self.fault.startswith("error-"):
            body = self._error_event()
        if self.fault == "malformed-stream":
            body = body[:-10]
        if self.fault in ("reset-after-headers", "reset-mid-body", "half-closed", "stall", "done-without-finish"):
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.charge.output, self.charge.outcome = reply.output, "part"
            self.writer.write(head if self.fault == "reset-after-headers" else head + body[: len(body) // 2])
            await self._die()
        kind = "text/plain" if self.fault == "wrong-content-type" else "application/json; charset=utf-8"
        self._settle(reply)
        await _send(self.writer, 200, body, content_type=kind, **self.headers)

    async def _stream(self, reply: Reply, usage: Any) -> None:
        kinds = {OLLAMA: "application/x-ndjson", BEDROCK: "application/vnd.amazon.eventstream"}
        kind = kinds.get(self.asked.wire, "text/event-stream; charset=utf-8")
        if self.fault == "wrong-content-type":
            kind = "text/plain"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        if self.fault == "huge-body":
            piece = b"data: " + b"x" * 65536
            await self._endless(
                head, _chunk(frames.event("p", {"p": "x" * 65536}) if self.asked.wire == BEDROCK else piece)
            )
        self.writer.write(head)
        if self.fault == "reset-after-headers":
            await self._die()
        self.charge.outcome = "part"
        self.write_down(self.charge)
        pieces = self._pieces(wires.stream(self.asked, reply, usage))
        for n, piece in enumerate(pieces):
            if n == len(pieces) - 1 and self.fault not in _UNFINISHED:
                self._settle(reply)
            if self.reader.at_eof() or self.writer.is_closing():
                raise ConnectionResetError
            self.writer.write(_chunk(piece))
            if self.charge.outcome == "part":
                self.charge.output = min(self.charge.output + 1, reply.output * self.asked.choices)
            await self.writer.drain()
            await asyncio.sleep(self.pause if self.fault == "trickle" else 0)
        if self.fault in ("reset-mid-body", "stall"):
            await self._die()
        if self.fault == "holds-open":
            await self._wait_for_client_to_leave(HANG_S)
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def _settle(self, reply: Reply) -> None:
        self.charge.output, self.charge.outcome = reply.output * self.asked.choices, "complete"
        self.write_down(self.charge)

    def _pieces(self, events: list[bytes]) -> list[bytes]:
        half = max(4, len(events) // 2)
        has_preface = self.asked.wire not in (OLLAMA, GOOGLE)  # an event that says nothing yet
        match self.fault:
            case "empty-stream":
                return []
            case "half-closed" | "reset-mid-body" | "stall":
                return events[:half]
            case "no-done":
                return events[:-1] if self.asked.wire in (OPENAI, ANTHROPIC) else events
            case "done-without-finish":
                finish = {
                    OPENAI: b'"finish_reason": "', ANTHROPIC: b"message_delta", OLLAMA: b'"done": true',
                    GOOGLE: b"finishReason", BEDROCK: b"messageStop",
                }  # fmt: skip
                return [event for event in events if finish[self.asked.wire] not in event]
            case "malformed-stream":
                return [*events[:half], b'<p>Bad "gateway\n\n']
            case "error-object" | "error-string" | "error-garbage":
                return [*events[:half], self._error_event()]
            case "error-first":
                return [events[0], self._error_event()] if has_preface else [self._error_event()]
            case "split-every-byte":
                return [bytes((byte,)) for byte in b"".join(events)]
            case "crlf" if self.asked.wire != BEDROCK:
                return [event.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for event in events]
            case "one-read":
                return [b"".join(events)]
            case _:
                return events

    def _error_event(self) -> bytes:
        error: Any = {"message": f"boom in {SECRET_PATH}", "type": "overloaded_error", "code": 503}
        if self.fault == "error-string":
            error = "the model ran out of memory"
        body = json.dumps({"type": "error", "error": error}).encode()
        if self.fault == "error-garbage":
            body = b'{"error": "it said "no" to us"}'
        if not self.asked.stream:
            return body
        if self.asked.wire == OLLAMA:
            return body + b"\n"
        if self.asked.wire == BEDROCK:
            return frames.exception("serviceUnavailableException", json.dumps(error).encode()
                                    if self.fault != "error-garbage" else body)  # fmt: skip
        return (b"event: error\n" if self.asked.wire == ANTHROPIC else b"") + b"data: " + body + b"\n\n"

    async def _die(self) -> None:
        await self.writer.drain()
        if self.fault == "stall":
            await self._wait_for_client_to_leave(HANG_S)
        if self.fault in ("half-closed", "done-without-finish"):
            raise _Closed
        # What was written must have left before the reset, which throws away what has not.
        await asyncio.sleep(0.05)
        self._reset()

    def _reset(self) -> None:
        self.writer.transport.abort()
        raise _Closed

    async def _endless(self, head: bytes, piece: bytes) -> None:
        self.charge.outcome = "part"
        self.writer.write(head)
        while True:
            self.writer.write(piece)
            await self.writer.drain()

    async def _wait_for_client_to_leave(self, most: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), most)
        raise ConnectionResetError


async def _received(head: bytes, reader: asyncio.StreamReader, connection: int) -> Received:
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = start.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body, connection)


async def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, content_type: str = "application/json", **headers: str
) -> None:
    named = {"content-type": content_type, "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
    await writer.drain()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does, as with who began it")
    given = parser.parse_args()
    async with Provider(port=given.port, host=given.host, ledger_file=given.ledger) as provider:
        print(provider.url, flush=True)
        await (asyncio.to_thread(sys.stdin.read) if given.until_eof else asyncio.Event().wait())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
    sys.exit(0)
