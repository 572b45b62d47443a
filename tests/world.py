"""A small deployment for tests: a workspace, a state database, a provider that misbehaves on demand, and Fairlead put
together over them by the composition root. Everything in it is the real thing.

    async with world(tmp_path) as w:      # in the test's own loop: drive the path directly
        answer = await w.ask("hello")
    with served(tmp_path) as s:           # in a thread of its own, behind HTTP: for clients, synchronous ones too
        httpx.post(s.url + "/v1/chat/completions", headers=s.auth("kim"), json=...)
"""

import asyncio
import hashlib
import json
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from sqlalchemy import text as sql

from fairlead.clock import Clock, SystemClock
from fairlead.costs.record import Record, decode_record
from fairlead.costs.told import Arrival
from fairlead.execution import Answer, Deliver, Fairlead, call_model
from fairlead.identity.types import Caller
from fairlead.models.types import ChatRequest
from fairlead.server.framing import Patience
from fairlead.server.openai.chat_request import read_request
from fairlead.server.proxy import Proxies
from fairlead.server.serve import Serving, configured
from fairlead.server.tls import Tls
from fairlead.server.workers import listen
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.surroundings import Surroundings
from tests.databases import migrated_file
from tests.faults.provider import Provider

MASTER_KEY = bytes(range(32))
CARD = "4111 1111 1111 1111"
SECRETS = {"env:TEST_KEY": "test-key", "env:LOGIN_SECRET": "the-clients-secret"}
# Nano-units a token of the model `small`: 2 and 8 units a million.
IN, OUT = 2_000, 8_000
PERSONS: Mapping[str, dict[str, Any]] = {
    "kim": {"department": "sales", "groups": ["staff"]},
    "lee": {"department": "finance", "groups": ["staff", "leads"]},
    "max": {"department": "sales"},
}


def key_of(person: str) -> str:
    """The API key of one of the world's persons."""
    return f"test-key-of-{person}-0123456789"


def secret_of(reference: str) -> str | None:
    """The secrets that there are in the world: a model's key, and that of a client at an identity provider."""
    return SECRETS.get(reference)


def settings(url: str, **more: Any) -> dict[str, Any]:
    """fairlead.yaml as data: two models at the provider, one in a cloud and one in the house. `more` replaces keys."""

    def model(remote: str, kind: str) -> dict[str, Any]:
        return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": kind}}

    return {
        "organisation": "acme",
        "models": {"small": model("tiny", "cloud"), "house": model("house", "on_prem")},
        "prices": {"small": {"input": 2, "output": 8}, "house": {"input": 1, "output": 1}},
        "retries": {"tries": 1},
        "keys": {
            name: {"secret": "sha256:" + hashlib.sha256(key_of(name).encode()).hexdigest(), **about}
            for name, about in PERSONS.items()
        },
        **more,
    }


class FixedClock:
    """A clock that stands still until `tick` is called. Its randomness is a counter."""

    def __init__(self, at: int = 1_795_000_000_000) -> None:
        self.at = at
        self.seconds = 1000.0
        self._drawn = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_128(str(self._drawn).encode()).digest(count)

    def tick(self, seconds: float) -> None:
        self.at += int(seconds * 1000)
        self.seconds += seconds


@dataclass
class State:
    """What the database says. For reading; works while Fairlead runs."""

    store: Store

    def records(self, kind: str = "", run: str = "") -> list[Record]:
        """The log's records in order, all or those of a kind or run."""
        self.store.bring_in_order()
        with self.store.reading() as connection:
            rows = connection.execute(sql("SELECT record FROM log ORDER BY seq")).scalars().all()
        found = [decode_record(bytes(row)) for row in rows]
        return [each for each in found if kind in ("", each.kind) and run in ("", each.run)]

    def raw_records(self) -> list[bytes]:
        with self.store.reading() as connection:
            return [bytes(row) for row in connection.execute(sql("SELECT record FROM log ORDER BY seq")).scalars()]

    def holds(self) -> list[tuple[str, int]]:
        """Open holds: id and amount."""
        with self.store.reading() as connection:
            return [(row.id, row.amount) for row in connection.execute(sql("SELECT id, amount FROM hold ORDER BY id"))]

    def balance(self, scope: str) -> tuple[int, int]:
        """Held and spent of a scope in all its periods (which agree, where there is one)."""
        query = sql("SELECT COALESCE(SUM(held), 0), COALESCE(SUM(spent), 0) FROM budget WHERE scope = :scope")
        with self.store.reading() as connection:
            held, spent = connection.execute(query, {"scope": scope}).one()
        return int(held), int(spent)

    def count(self, table: str) -> int:
        with self.store.reading() as connection:
            return int(connection.execute(sql(f"SELECT COUNT(*) FROM {table}")).scalar_one())


@dataclass
class World(State):
    """Fairlead in this loop."""

    provider: Provider
    running: Running
    clock: Clock
    folder: Path

    @property
    def fairlead(self) -> Fairlead:
        return self.running.fairlead

    def caller(self, person: str = "kim") -> Caller:
        about = PERSONS[person]
        return Caller(
            person=person,
            department=about.get("department", ""),
            groups=frozenset(about.get("groups", ())),
            credential=f"key:{person}",
        )

    async def ask(
        self,
        content: str = "hello there",
        *,
        person: str = "kim",
        model: str = "small",
        deliver: Deliver | None = None,
        deadline: float | None = None,
        **fields: Any,
    ) -> Answer:
        """Send a chat request down the path, as a door does."""
        request, arrival = asked(content, model=model, deadline=deadline, **fields)
        return await call_model(self.fairlead, self.caller(person), request, arrival, deliver)


def asked(
    content: str = "hello there", *, model: str = "small", deadline: float | None = None, **fields: Any
) -> tuple[ChatRequest, Arrival]:
    """A chat request as the door translates it."""
    body = msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": content}], **fields})
    request = read_request(body).request
    return request, Arrival(door="openai.chat", body=body, deadline=deadline)


async def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for something that happens beside the test; fail rather than wait for ever."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """As `until`, for tests without a loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what a test waited for did not happen")
        time.sleep(0.01)


def write_workspace(folder: Path, whole: Mapping[str, Any], files: Mapping[str, str] | None = None) -> Path:
    """Write a workspace. `whole` is fairlead.yaml (JSON is YAML too), `files` the other files by path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fairlead.yaml").write_text(json.dumps(whole, indent=1))
    for path, content in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


def published(
    folder: Path, whole: Mapping[str, Any], files: Mapping[str, str] | None, clock: Clock, where: Where | None = None
) -> Store:
    """A state database in `folder`, or the migrated one at `where`, with the workspace published."""
    workspace = write_workspace(folder / "acme", whole, files)
    data = folder / "data"
    data.mkdir()
    if where is None:
        store = Store.open(shutil.copyfile(migrated_file(), data / "state.db"), synchronous="normal")
    else:
        store = Store.open(where, beside=data)
    publish(store, Fleet(store, clock), read_folder(workspace), lambda _: None, by="test", clock=clock)
    return store


@asynccontextmanager
async def world(
    folder: Path,
    files: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    where: Where | None = None,
    secrets: Callable[[str], str | None] = secret_of,
    walks: int = 0,
    **more: Any,
) -> AsyncIterator[World]:
    """A deployment in this loop, over a file or the migrated database at `where`. It `walks` so many runs at once.

    `more` are keys of fairlead.yaml; a value that is callable gets the provider's URL.
    """
    clock = clock or SystemClock()
    async with Provider() as provider:
        store = published(folder, _with(provider.url, more), files, clock, where)
        around = Surroundings(store=store, master_key=MASTER_KEY, secrets=secrets, clock=clock, walks=walks)
        running = await assemble(around)
        try:
            yield World(store, provider, running, clock, folder)
        finally:
            await running.stop()
            store.close()


def _with(url: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return settings(url, **{name: value(url) if callable(value) else value for name, value in more.items()})


async def again(w: World) -> Running:
    """Another process over the same state, after the world's own has stopped. To be stopped by who asked for it."""
    return await assemble(Surroundings(store=w.store, master_key=MASTER_KEY, secrets=secret_of, clock=w.clock))


@dataclass
class Served(State):
    """Fairlead behind HTTP, in a thread."""

    url: str
    provider: Provider
    running: Running
    folder: Path

    def auth(self, person: str = "kim") -> dict[str, str]:
        return {"authorization": f"Bearer {key_of(person)}"}


@contextmanager
def served(
    folder: Path,
    files: Mapping[str, str] | None = None,
    *,
    max_body: int = 1 << 20,
    drain: int = 10,
    max_requests: int = 2048,
    patience: Patience | None = None,
    tls: Tls | None = None,
    proxy: Proxies | None = None,
    **more: Any,
) -> Iterator[Served]:
    """A deployment on a free loopback port. `drain` is in seconds, `more` as for `world`."""
    begun: list[Served] = []
    ready = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        clock = SystemClock()
        async with Provider() as provider:
            store = published(folder, _with(provider.url, more), files, clock)
            around = Surroundings(store=store, master_key=MASTER_KEY, secrets=secret_of, clock=clock)
            sock = listen("127.0.0.1", 0)
            url = "{}://{}:{}".format("https" if tls else "http", *sock.getsockname())

            async def start() -> Running:
                running = await assemble(around)
                begun.append(Served(store, url, provider, running, folder))
                return running

            bears = patience or Patience()
            serving_as = Serving(
                max_body=max_body, max_requests=max_requests, max_connections=bears.connections, drain=drain,
                receive_timeout=bears.receive, send_timeout=bears.send, tls=tls, proxy=proxy,
            )  # fmt: skip
            server = uvicorn.Server(configured(start, serving_as))
            servers.append(server)
            try:
                serving = asyncio.ensure_future(server.serve(sockets=[sock]))
                while not server.started and not serving.done():
                    await asyncio.sleep(0.01)
                ready.set()
                await serving
            finally:
                sock.close()
                store.close()

    def run() -> None:
        try:
            asyncio.run(serve())
        except SystemExit:  # uvicorn's way to say that the start failed; the log has why
            return
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="served", daemon=True)
    thread.start()
    ready.wait(120)
    try:
        if not begun:
            raise RuntimeError("Fairlead did not start: see the log above")
        yield begun[0]
    finally:
        if servers:
            servers[0].should_exit = True
        thread.join(120)
        assert not thread.is_alive(), "Fairlead did not stop"
