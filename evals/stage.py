"""What the measurements share: a provider and a Fairlead as real processes on free loopback ports, a plain HTTP client,
and the state database to read afterwards."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httptools
from tests.postgres import Server
from tests.postgres import server as postgres_server
from tests.world import settings, write_workspace

from fairlead.audit.merkle import Frontier, leaf_hash
from fairlead.costs.record import Record, decode_record
from fairlead.storage.database import Where, is_postgres

ROOT = Path(__file__).parents[1]
_START_S = 60.0
_UNTIL_EOF = """cat
server=$(head -n 1 "$1/data/postmaster.pid") && kill -QUIT "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.2; done
rm -rf "$1"
"""


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Options that every measurement has."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--seed", type=int, default=1, help="for what is drawn by chance (default 1)")
    made.add_argument(
        "--storage", choices=["sqlite", "postgres"], default="sqlite", help="where state is kept (default sqlite)"
    )
    made.add_argument("--keep", action="store_true", help="keep the folder with workspace, state and logs")
    return made


def told(result: Mapping[str, Any], bad: bool) -> int:
    """Print the line that counts. The exit status says whether what was promised held."""
    print(json.dumps(result), flush=True)
    return 1 if bad else 0


# ---- processes --------------------------------------------------------------------------------------------------


def python(*arguments: str) -> list[str]:
    """The command line of a program of ours."""
    return [sys.executable, *arguments]


@dataclass
class Stage:
    """Both processes, running. `fairlead` leads a process group of its own."""

    folder: Path
    provider_url: str
    port: int
    fairlead: subprocess.Popen[bytes]
    server: Server | None = None
    url: str = ""

    @property
    def database(self) -> Where:
        return self.url or self.folder / "data" / "state.db"

    def workers(self) -> list[int]:
        """Process ids of the workers that live now."""
        pid = self.fairlead.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    async def charges(self) -> list[dict[str, Any]]:
        """The provider's own ledger."""
        reply = await get(self.provider_url, "/ledger")
        found: list[dict[str, Any]] = json.loads(reply.body)
        return found

    async def behave(self, always: str = "") -> None:
        """Tell the provider which fault to have from now on."""
        await exchange(self.provider_url, written("POST", "/faults", json.dumps({"always": always}).encode()))

    def log_tail(self) -> str:
        return (self.folder / "fairlead.log").read_text(errors="replace")[-2000:]


@contextlib.asynccontextmanager
async def stage(
    workers: int,
    whole: Mapping[str, Any] | None = None,
    *,
    keep: bool = False,
    files: Mapping[str, str] | None = None,
    storage: str = "sqlite",
) -> AsyncIterator[Stage]:
    """Start the provider and `fairlead serve`, wait until it is ready, and stop both at the end.

    `whole` are keys of fairlead.yaml over the tests' own; a callable gets the provider's URL. With `storage` "postgres"
    a server is started as well, and state is kept there.
    """
    folder = Path(mkdtemp(prefix="fairlead-eval-"))
    with provider(folder) as provider_url, _database(storage) as (server, url):
        more = {name: value(provider_url) if callable(value) else value for name, value in (whole or {}).items()}
        if url:
            more["storage"] = {"url": url}
        write_workspace(folder / "acme", {**settings(provider_url), **more}, files)
        with _serving(folder, workers) as (process, port):
            made = Stage(folder, provider_url, port, process, server, url)
            await _until_ready(made)
            yield made
    if keep:
        say(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def provider(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """The misbehaving provider as a process, which ends with this one. Gives its URL."""
    ledger = str(folder / "provider.jsonl")
    command = python("-m", "tests.faults.provider", "--port", "0", "--ledger", ledger, "--host", host, "--until-eof")
    with (
        (folder / "provider.log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, which ends with this process, however that ends: a shell in its own session reads a pipe
    that this process alone writes to."""
    with postgres_server(fsync=True) as server:
        folder = str(server.folder)
        with subprocess.Popen(
            ["sh", "-c", _UNTIL_EOF, "sh", folder], stdin=subprocess.PIPE, start_new_session=True
        ) as end:
            try:
                yield server
            finally:
                end.kill()


@contextlib.contextmanager
def _database(storage: str) -> Iterator[tuple[Server | None, str]]:
    """A PostgreSQL server and the URL of an empty database, where one is wanted."""
    if storage == "sqlite":
        yield None, ""
        return
    with postgres() as server:
        yield server, server.make_database()


@contextlib.contextmanager
def _serving(folder: Path, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = _free_port()
    command = python("-m", "fairlead", "serve", str(folder / "acme"), "--data", str(folder / "data"))
    command += ["--port", str(port), "--workers", str(workers)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    with (folder / "fairlead.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process, port
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes], patience: float = 40.0) -> None:
    """Ask the leader to end, and end whatever is left of its group after `patience` seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        say("fairlead did not stop by itself")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def _until_ready(made: Stage) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if made.fairlead.poll() is not None:
            break
        with contextlib.suppress(OSError, Incomplete):
            if (await get(f"http://127.0.0.1:{made.port}", "/readyz")).status == 200:
                return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"fairlead did not start:\n{made.log_tail()}")


# ---- HTTP -------------------------------------------------------------------------------------------------------


class Incomplete(Exception):
    """The connection ended before the response was complete."""


@dataclass
class Response:
    """One response, complete. `at` is when its last byte came."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    done: bool = False
    _parser: Any = None

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        # An interim response (100 Continue) is followed by the real one.
        self.done = self._parser.get_status_code() >= 200

    @property
    def error(self) -> str:
        """The code of an error in the door's format, in the body or as the last event; "" for none."""
        text = self.body
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            events = [line[6:] for line in text.splitlines() if line.startswith(b"data: {")]
            text = events[-1] if events else b"{}"
        try:
            error = json.loads(text).get("error")
        except (ValueError, AttributeError):
            return ""
        return str(error.get("code")) if isinstance(error, dict) else ""

    @property
    def ended_well(self) -> bool:
        """As a client sees it: a whole reply, or a stream with its end mark."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return self.body.rstrip().endswith(b"data: [DONE]")
        return self.status == 200


def written(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A request as bytes."""
    named = {
        "host": "localhost",
        "content-length": str(len(body)),
        "content-type": "application/json",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


async def get(url: str, path: str) -> Response:
    return await exchange(url, written("GET", path))


async def exchange(url: str, request: bytes, *, limit: float = 30.0, tls: ssl.SSLContext | None = None) -> Response:
    """Send bytes on a connection of their own and read one response. Raises `Incomplete`, `TimeoutError`, `OSError`."""
    host, port = url.partition("://")[2].split(":")
    response = Response()
    response._parser = parsing = httptools.HttpResponseParser(response)
    async with asyncio.timeout(limit):
        reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
        try:
            writer.write(request)
            await writer.drain()
            while not response.done:
                data = await reader.read(65536)
                if not data:
                    break
                parsing.feed_data(data)
        except ConnectionError:
            pass
        except httptools.HttpParserError as error:
            raise Incomplete(str(error)) from error
        finally:
            writer.close()
    if response._parser is not None and parsing.get_status_code() >= 200:
        response.status = parsing.get_status_code()
    if not response.done:
        raise Incomplete(f"the connection ended after {len(response.body)} bytes of status {response.status}")
    return response


def chat(content: str, *, model: str = "small", stream: bool = False, person: str = "kim", **fields: Any) -> bytes:
    """A chat request as bytes."""
    from tests.world import key_of

    headers = {"authorization": f"Bearer {key_of(person)}", **fields.pop("headers", {})}
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": stream, **fields}
    return written("POST", "/v1/chat/completions", json.dumps(body).encode(), headers)


# ---- state ------------------------------------------------------------------------------------------------------


@dataclass
class Books:
    """What the database says at one moment."""

    records: list[Record]
    raw: list[bytes]
    held: int
    open_holds: int
    spent: Counter[str]
    tree: bytes
    turns: set[str]

    @property
    def attempts(self) -> Counter[str]:
        """How many records of money there are by attempt id (`RUN.N`)."""
        return Counter(
            f"{each.run}.{each.attempt}"
            for each in self.records
            if each.kind in ("call_model", "attempt") and each.model
        )

    def audit_holds(self) -> bool:
        """Whether the tree over the log is the one that the journal committed."""
        return Frontier().extend([leaf_hash(raw) for raw in self.raw]).to_bytes() == self.tree


def books(database: Where) -> Books:
    """Read all of it in one transaction, after what was acknowledged has got its place in the log."""
    connection: Any
    if is_postgres(database):
        import psycopg

        connection = psycopg.connect(str(database), autocommit=True)
        while connection.execute("SELECT fairlead_sequence(10000)").fetchone()[0] != 0:
            pass
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ"
    else:
        connection, begin = sqlite3.connect(f"file:{database}?mode=ro", uri=True), "BEGIN"
    try:
        connection.execute(begin)
        raw = [bytes(row[0]) for row in connection.execute("SELECT record FROM log ORDER BY seq")]
        held = int(connection.execute("SELECT COALESCE(SUM(held), 0) FROM budget").fetchone()[0])
        holds = connection.execute("SELECT COUNT(*) FROM hold").fetchone()[0]
        sums = connection.execute("SELECT scope, SUM(spent) FROM budget GROUP BY scope")
        spent = Counter[str]({scope: int(amount) for scope, amount in sums})
        tree = connection.execute("SELECT peaks FROM tree").fetchone()
        turns = {row[0] for row in connection.execute("SELECT id FROM session_turn")}
    finally:
        connection.close()
    records = [decode_record(each) for each in raw]
    return Books(records, raw, held, holds, spent, bytes(tree[0]) if tree else b"", turns)


def chance(seed: int) -> random.Random:
    return random.Random(seed)
