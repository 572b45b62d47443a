"""CPU of one governed chat request, beyond HTTP in and out: everything on, an instant model, commits on disk.

    python bench/hot_path.py [--requests 3000]

Prints the CPU of the whole process for each request (the journal's thread included), and the median of each stage's own
time as the recorded spans tell it. CPU time, one process, no network; compare runs on one machine only.
"""

import argparse
import asyncio
import contextlib
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import gateway

from fairlead.clock import SystemClock
from fairlead.identity.keys import new_key
from fairlead.models.types import Chunk, ModelCall, Usage
from fairlead.server.chat_door import ChatDoor
from fairlead.server.openai.chat import ChatCompletions
from fairlead.storage.fleet import Fleet
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.telemetry import STAGES, decode
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.surroundings import Surroundings

AT_ONCE = 16
PRINCIPALS = 200
WORDS = ("order", "invoice", "delivery", "supplier", "contract", "payment", "amount", "policy", "customer", "office")


class Instant:
    """A model that answers at once."""

    async def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        yield Chunk(text="The totals match the purchase order. " * 9, finish="stop", usage=Usage(412, 74))

    async def probe(self) -> list[str]:
        return []


def deployed(folder: Path, keys: list[str]) -> Path:
    """A published workspace as in `gateway.py`. Returns its database."""
    (folder / "fairlead.yaml").write_text(json.dumps(gateway.workspace("http://127.0.0.1:9/v1", keys)))
    (folder / "policies").mkdir()
    (folder / "policies" / "main.cedar").write_text(gateway.POLICIES)
    database = folder / "state" / "state.db"
    database.parent.mkdir()
    migrate(database)
    with contextlib.closing(Store.open(database)) as store:
        clock = SystemClock()
        publish(store, Fleet(store, clock), read_folder(folder), lambda _: None, by="bench", clock=clock)
    return database


def body(number: int) -> bytes:
    text = " ".join(WORDS[(number + at) % len(WORDS)] for at in range(60 + number % 400))
    sensitive = " Card 4111 1111 1111 1111." if number % 5 == 0 else ""
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": text + sensitive}]}).encode()


async def ask(door: ChatDoor, number: int, keys: list[str]) -> None:
    data = body(number)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200, message

    key = keys[number % len(keys)].encode()
    headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + key)]
    await door({"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}, receive, send)


async def measure(running: Running, keys: list[str], requests: int) -> float:
    """CPU microseconds a request, sixteen at once."""
    fairlead = running.fairlead
    for endpoint in list(fairlead.deployment.drivers):
        fairlead.deployment.drivers[endpoint] = Instant()  # type: ignore[index]
    door = ChatDoor(fairlead, ChatCompletions(), 10 << 20)

    async def client(first: int, count: int) -> None:
        for number in range(first, first + count):
            await ask(door, number, keys)

    async def load(count: int) -> None:
        await asyncio.gather(*(client(at * 997, count // AT_ONCE) for at in range(AT_ONCE)))

    await load(requests)
    began = time.process_time()
    await load(requests)
    return (time.process_time() - began) / (requests // AT_ONCE * AT_ONCE) * 1e6


def own_times(database: Path) -> dict[str, float]:
    """The median of each stage's own microseconds, over all records."""
    times: dict[str, list[int]] = defaultdict(list)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for (spans,) in connection.execute("SELECT spans FROM log WHERE length(spans) > 0"):
            for span in decode(spans):
                times[span.name].append(span.own)
    return {stage: statistics.median(times[stage]) / 1000 for stage in STAGES if times[stage]}


async def run(requests: int) -> None:
    clock = SystemClock()
    keys = [new_key(clock)[0] for _ in range(PRINCIPALS)]
    with tempfile.TemporaryDirectory() as folder:
        database = deployed(Path(folder), keys)
        store = Store.open(database)
        running = await assemble(
            Surroundings(store=store, master_key=clock.random_bytes(32), secrets=lambda _: None, clock=clock)
        )
        cost = await measure(running, keys, requests)
        await running.stop()
        store.close()
        print(f"{cost:.0f} us of CPU a request, {AT_ONCE} at once, commits included")
        for stage, own in own_times(database).items():
            print(f"  {stage:<13}{own:7.1f} us own")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000)
    uvloop.run(run(parser.parse_args().requests))


if __name__ == "__main__":
    main()
