"""Run workflows with `secrecy: memory` in a real server, kill its workers in the middle, and look for every word of the
runs on the whole disk afterwards.

Each run has markers by chance in its input, and models, tools and functions make more: in replies, results and errors.
Runs end well, fail their checks, meet errors of tools and functions, are undone, denied or cancelled, use agents and
subflows. Clients that lose their server begin the run again under the same name.

    runs, ended        of workflows that are kept in memory only, and how they ended
    killed             workers that were killed (SIGKILL) while runs were under way
    lost_for_good      runs whose client was never told how they ended                              (0)
    wrong              runs that ended otherwise than they should have, or gave something else      (0)
    markers            texts that were said, and of which any form was looked for
    found              markers of runs in memory that are on the disk                               (0)
    markers_sealed     markers of sealed runs that can be read on the disk                          (0)
    scanned_bytes      of all files: while the server ran, and after it had stopped
    self_check         whether planted markers are found in every form, and those of a run whose tool writes to the log
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from base64 import b32encode
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
from tests.world import key_of

from evals.markers import Finder, Found, planted
from evals.stage import Stage, chance, parser, say, stage, stop, told

WAYS: Final = ("done", "schema", "tool_error", "function_error", "undo", "agent", "sub", "deny", "slow", "cancel")
_FAILS: Final = ("function_error", "undo", "deny")
_UNSETTLED: Final = ("", "lost", "running", "cancelling")
_PATIENCE: Final = 90.0  # seconds for one run, kills included
_AT_ONCE: Final = 6

_SYSTEM = '''
import hashlib
import sys
from base64 import b32encode

from fairlead.tools.person import Person, ToolError


def made(words: str) -> str:
    return b32encode(hashlib.sha256(words.encode()).digest()).decode().lower()[:20]


def put(person: Person, words: str) -> dict[str, str]:
    """Put it."""
    return {"word": made(words)}


def take(person: Person, words: str) -> str:
    """Take it back."""
    return made(words)


def fail(person: Person, words: str) -> str:
    """Fail."""
    raise ToolError("no " + made(words))


def broken(person: Person, words: str) -> str:
    """Break."""
    raise ValueError("no " + made(words))


def forbidden(person: Person, words: str) -> str:
    """Never."""
    return words


def loud(person: Person, words: str) -> str:
    """Tell everybody."""
    print(words, file=sys.stderr, flush=True)
    return words
'''
_FUNCTIONS = """
import hashlib
from base64 import b32encode

from fairlead.tools import ToolError


def made(word: str) -> str:
    return b32encode(hashlib.sha256(word.encode()).digest()).decode().lower()[:20]


def broken(word: str) -> str:
    raise KeyError(made(word))


def refuse(word: str) -> str:
    raise ToolError("not " + made(word))
"""
_POLICIES = """
@id("all") permit(principal, action, resource);
@id("never") forbid(principal, action == Action::"box.forbidden", resource);
"""


def made(words: str) -> str:
    """What models, tools and functions make of what they are given: nobody could guess it."""
    return b32encode(hashlib.sha256(words.encode()).digest()).decode().lower()[:20]


def _asks(id_: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "model": {"prompt": prompt, "model": "small", **more.pop("model", {})}, **more}


def _tool(id_: str, call: str, words: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "tool": {"call": f"box.{call}", "arguments": {"words": words}}, **more}


def _way(way: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"when": f'input.way == "{way}"', "steps": list(steps)}


def definition(secrecy: str) -> dict[str, Any]:
    """One workflow with everything; `input.way` says which of it happens."""
    word = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    text = {"type": "string"}
    retry = {"errors": ["check"], "attempts": 3, "wait": "1s"}
    twice = {"errors": ["error"], "attempts": 2, "wait": "1s"}
    words = "${input.words}"
    return {
        "secrecy": secrecy,
        "input": {
            "properties": {"way": text, "words": text, "file": text, "items": {"type": "array", "items": text}},
            "required": ["way", "words", "file", "items"],
        },
        "steps": [
            _asks("read", "[${input.way}] ${input.file} {${input.words}}", model={"gives": word}, retry=retry,
                  check={"rules": [{"that": "!value.word.startsWith('?')", "otherwise": "Say the word."}]}),
            _tool("put", "put", "${steps.read.value.word}", compensate={
                "tool": {"call": "box.take", "arguments": {"words": words}}
            }),
            {"id": "each", "map": {"over": "input.items", "at_most": 9, "at_once": 2, "steps": [
                {"id": "shout", "python": {"function": "calc:made", "arguments": {"word": "${item}"}}},
                _tool("look", "put", "${steps.shout.value}"),
            ]}},
            {"id": "both", "parallel": {"branches": {
                "one": [_asks("first", "[branch] {${input.words}}")],
                "two": [{"id": "second", "python": {"function": "calc:made", "arguments": {"word": words}}}],
            }}},
            {"id": "way", "switch": {"cases": [
                _way("tool_error", _tool("fail", "fail", words, retry=twice,
                                         otherwise=[{"id": "said", "transform": "${error.message}"}])),
                _way("function_error", {"id": "breaks", "python": {"function": "calc:broken",
                                                                   "arguments": {"word": words}}}),
                _way("undo", {"id": "refuses", "python": {"function": "calc:refuse", "arguments": {"word": words}}}),
                _way("agent", {"id": "acts", "agent": {"goal": "[act] {${input.words}}", "at_most": 4,
                                                       "tools": ["box.put", "box.broken"], "model": "small"}}),
                _way("sub", {"id": "inner", "subflow": {"workflow": "inner", "input": {"word": words}}}),
                _way("deny", _tool("forbidden", "forbidden", words)),
                _way("slow", {"id": "rest", "wait": {"for": "2s"}}, _asks("late", "[late] {${input.words}}")),
                _way("cancel", {"id": "stay", "wait": {"for": "4m"}}),
                _way("loud", _tool("tell", "loud", words)),
            ]}},
            _asks("end", "[end] {${input.file}}"),
        ],
        "output": {"end": "${steps.end.text}", "put": "${steps.put.value.word}"},
    }  # fmt: skip


INNER = {
    "input": {"properties": {"word": {"type": "string"}}},
    "steps": [_asks("in", "[inner] {${input.word}}")],
}


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


class Run:
    """One run: its words, and all that is made of them."""

    def __init__(self, rng: random.Random, number: int, way: str) -> None:
        def word() -> str:
            return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=20))

        self.way, self.once = way, f"{way}-{number}"
        self.words, self.file, self.items = word(), word(), [word() for _ in range(3)]
        self.status, self.output = "", None
        self.tries = 0

    @property
    def input(self) -> dict[str, Any]:
        return {"way": self.way, "words": self.words, "file": f"/home/k\u00f6nig/{self.file}.pdf", "items": self.items}

    @property
    def markers(self) -> set[str]:
        read = made(self.words)
        known = {self.words, self.file, *self.items, read, made(read), made(self.input["file"])}
        known |= {made(made(each)) for each in self.items} | {made(each) for each in self.items} | {made(made(read))}
        return known

    @property
    def right(self) -> bool:
        if self.way == "cancel":
            return self.status == "cancelled"
        if self.way in _FAILS:
            return self.status == "failed"
        return self.status == "done" and self.output == {"end": made(self.input["file"]), "put": made(made(self.words))}


class Clients:
    """Whoever begins runs, waits, and begins them again where the server went away."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._headers = {"x-api-key": key_of("kim")}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def all(self, runs: list[Run], workflow: str) -> None:
        async with httpx.AsyncClient(base_url=self._url, headers=self._headers, timeout=_PATIENCE) as client:
            await asyncio.gather(*(self._one(client, each, workflow) for each in runs))

    async def _one(self, client: httpx.AsyncClient, run: Run, workflow: str) -> None:
        async with self._places:
            until = time.monotonic() + _PATIENCE
            while run.status in _UNSETTLED and time.monotonic() < until:
                run.tries += 1
                with contextlib.suppress(httpx.HTTPError, ValueError):
                    await self._begun(client, run, workflow)
                if run.status in _UNSETTLED:
                    await asyncio.sleep(0.7)

    async def _begun(self, client: httpx.AsyncClient, run: Run, workflow: str) -> None:
        body = {"input": run.input, "once": run.once, "stream": workflow != "sealed"}
        async with client.stream("POST", f"/v1/workflows/{workflow}/runs", json=body) as reply:
            if workflow == "sealed":
                found = json.loads(await reply.aread())
                while found["status"] in ("accepted", "running", "waiting"):
                    await asyncio.sleep(0.2)
                    found = (await client.get(f"/v1/workflows/runs/{found['id']}")).json()
                run.status, run.output = found["status"], found.get("output")
                return
            async for line in reply.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                event = json.loads(line[6:])
                if event["object"] == "workflow.run":
                    id_, run.status, run.output = event["id"], event["status"], event.get("output")
                elif event["at"] == "way.stay" and event["status"] == "begun":
                    await client.post(f"/v1/workflows/runs/{id_}", json={"do": "cancel"})


async def _kill(at: Stage, rng: random.Random, kills: int, done: asyncio.Event) -> int:
    """Kill workers, the walker among them, while runs are under way. How many it was."""
    killed = 0
    while killed < kills and not done.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 1.5 + 3 * rng.random())
        if not done.is_set() and (workers := at.workers()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
    return killed


def _look_at_open(at: Stage, finder: Finder, found: Found) -> None:
    """Files that a process has open and that no folder has any more."""
    for pid in [at.fairlead.pid, *at.workers()]:
        for each in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(each)
                if target.endswith(" (deleted)") and target.startswith("/") and not target.startswith("/memfd"):
                    finder.look_at(each, found, target)


def _elsewhere(finder: Finder, found: Found, since: float) -> None:
    """Where a program might leave something beside its own folders."""
    for place in ("/dev/shm", "/var/tmp", "/tmp"):
        for path in Path(place).glob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink() and path.stat().st_mtime >= since:
                    finder.look_at(path, found)


def _self_check(root: Path, rng: random.Random) -> bool:
    marker = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=20))
    found, folder = Found(), root / "planted"
    names = planted(folder, marker)
    Finder([marker]).look_through(folder, found)
    shutil.rmtree(folder)
    missed = names - {Path(where.removesuffix(" unpacked")).name for _, where in found.where[marker]}
    if missed:
        say(f"the scan misses what was planted: {sorted(missed)}")
    return not missed


async def measure(root: Path, given: Any) -> dict[str, Any]:
    rng, began = chance(given.seed), time.time()
    sound = _self_check(root, rng)
    runs = [Run(rng, number, WAYS[number % len(WAYS)]) for number in range(given.runs)]
    sealed = [Run(rng, number, WAYS[number % (len(WAYS) - 2)]) for number in range(given.sealed)]
    loud = [Run(rng, 0, "loud")]
    everybody = [*runs, *sealed, *loud]
    finder = Finder({marker for each in everybody for marker in each.markers})
    files = {
        "workflows/quiet.yaml": json.dumps(definition("memory")),
        "workflows/sealed.yaml": json.dumps(definition("sealed")),
        "workflows/inner.yaml": json.dumps(INNER),
        "workflows/calc.py": _FUNCTIONS,
        "systems/box.py": _SYSTEM,
        "policies/main.cedar": _POLICIES,
    }
    live, after = Found(), Found()
    async with Said().serving() as said:
        model = {"use": "openai-compatible/m", "url": f"{said.url}/v1", "placement": {"kind": "on_prem"}}
        whole = {
            "models": {"small": model},
            "prices": {"small": {"input": 2, "output": 8}},
            "systems": {"box": {"use": "python", "file": "box.py"}},
        }
        async with stage(2, whole, keep=True, files=files, storage=given.storage) as at:
            clients, over = Clients(at.port), asyncio.Event()
            killing = asyncio.create_task(_kill(at, rng, given.kills, over))
            await clients.all(runs, "quiet")
            over.set()
            killed = await killing
            await clients.all(sealed, "sealed")
            await clients.all(loud, "quiet")
            if at.server is not None:
                _checkpoint(at)
            say(f"{Counter(each.status for each in runs)}, {killed} killed; looking at the disk")
            _look_at_open(at, finder, live)
            await asyncio.to_thread(finder.look_through, root, live)
            await asyncio.to_thread(stop, at.fairlead)
            await asyncio.to_thread(finder.look_through, root, after)
            _elsewhere(finder, after, began)
    return _result(given, runs, sealed, loud, killed, live, after, sound)


def _checkpoint(at: Stage) -> None:
    import psycopg

    with psycopg.connect(at.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _result(
    given: Any, runs: list[Run], sealed: list[Run], loud: list[Run], killed: int, live: Found, after: Found, sound: bool
) -> dict[str, Any]:
    where = {marker: live.where.get(marker, set()) | after.where.get(marker, set())
             for marker in {*live.where, *after.where}}  # fmt: skip

    def of(some: list[Run]) -> set[str]:
        return {marker for each in some for marker in each.markers}

    for marker in sorted((of(runs) | of(sealed)) & where.keys()):
        say(f"found {marker}: {sorted(where[marker])[:3]}")
    for each in (*runs, *sealed):
        if not each.right:
            say(f"{each.once} {each.way}: {each.status} {each.output}")
    heard = sum(each.words in where for each in loud)
    return {
        "storage": given.storage,
        "runs": len(runs),
        "ended": dict(Counter(each.status for each in runs)),
        "killed": killed,
        "begun_again": sum(each.tries > 1 for each in runs),
        "lost_for_good": sum(each.status in _UNSETTLED for each in runs),
        "wrong": sum(not each.right for each in (*runs, *sealed)),
        "markers": len(of(runs)),
        "found": len(of(runs) & where.keys()),
        "sealed_runs": len(sealed),
        "sealed_markers": len(of(sealed)),
        "markers_sealed": len(of(sealed) & where.keys()),
        "files": live.files + after.files,
        "scanned_bytes": live.size + after.size,
        "self_check": sound and heard == len(loud),
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=120)
    options.add_argument("--sealed", type=int, default=16, help="runs that are sealed (default 16)")
    options.add_argument("--kills", type=int, default=12, help="workers killed at most (default 12)")
    given = options.parse_args()
    root = Path(tempfile.mkdtemp(prefix="fairlead-traceless-"))
    for name in ("tmp", "home"):
        (root / name).mkdir()
        (root / name).chmod(0o1777)
    root.chmod(0o755)
    os.environ["TMPDIR"], os.environ["HOME"] = str(root / "tmp"), str(root / "home")
    tempfile.tempdir = str(root / "tmp")
    try:
        result = asyncio.run(measure(root, given))
    finally:
        if given.keep:
            say(f"kept: {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)
    bad = any(result[name] for name in ("lost_for_good", "wrong", "found", "markers_sealed"))
    return told(result, bad or not result["self_check"])


if __name__ == "__main__":
    sys.exit(main())
