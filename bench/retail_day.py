"""One day of a retail chain: 50,000 requests of 1,600 stores, through the real server, to a model that answers at once.

    python bench/retail_day.py [--requests 50000] [--seed 1] [--stores 1600]

Everything is on: keys, Cedar policies, detectors, the handbook searched for the kinds of work that need it, budgets of
organisation, region, store and kind of work, sealed payloads, synchronous commits, the signed log. The day is played
without pauses: the busier the hour, the more requests at once. Before it, not counted, every store asks once: the chain
was there yesterday. CPU seconds (user and system) are told apart for Fairlead, the model and the stores. At the end the
log is verified, every request must be billed, and budgets must be exact.
Prints what was found and one JSON line; status 1 where anything of it is not so.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httptools
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import retail
from tests.ports import free_port

from fairlead.costs.record import decode_record

_HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")
_MOST_AT_ONCE = 32
_START_S = 60.0


class Connection(asyncio.Protocol):
    """A kept connection of the chain's own application, on which one request after the other is sent."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self._waiting is not None
        self._waiting.set_result(self._parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("closed before the answer was complete"))


class Day:
    """Plays the day."""

    def __init__(self, port: int, tokens: list[str], asked: Iterator[retail.Asked]) -> None:
        self.statuses: Counter[int | str] = Counter()
        self.waited: list[float] = []
        self._port = port
        self._tokens = tokens
        self._asked = asked
        self._next = next(asked, None)
        self._busiest = max(retail.HOURS.values())

    async def play(self) -> None:
        connections: list[Connection] = []
        loop = asyncio.get_running_loop()
        while self._next is not None:
            hour = self._next.hour
            wanted = max(1, round(_MOST_AT_ONCE * retail.HOURS[hour] / self._busiest))
            # The server closes what was idle for long, as in the hours after the busy ones.
            connections = [each for each in connections if not each.transport.is_closing()]
            while len(connections) < wanted:
                connections.append((await loop.create_connection(Connection, "127.0.0.1", self._port))[1])
            await asyncio.gather(*(self._until_over(hour, each) for each in connections[:wanted]))
        for each in connections:
            each.transport.close()

    async def _until_over(self, hour: int, connection: Connection) -> None:
        while (asked := self._next) is not None and asked.hour == hour:
            self._next = next(self._asked, None)
            head = (
                "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {self._tokens[asked.store]}\r\nContent-Length: {len(asked.body)}\r\n\r\n"
            )
            began = time.perf_counter()
            try:
                status: int | str = await connection.ask(head.encode() + asked.body)
            except ConnectionError as error:
                status = str(error)
                connection.transport.abort()
            self.waited.append(time.perf_counter() - began)
            self.statuses[status] += 1
            if isinstance(status, str):
                return


@contextlib.contextmanager
def started(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, **more)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


async def _until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    late = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < late:
        with contextlib.suppress(OSError):
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        await asyncio.sleep(0.05)
    raise SystemExit(f"it does not answer: see {log}")


def cpu_of(root: int) -> float:
    """Seconds of a process and of all below it, ended ones included."""
    try:
        fields = Path(f"/proc/{root}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS + sum(cpu_of(int(child)) for child in children)


async def played(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The day, and what it took. Leaves the state in `folder`, with nobody at work on it."""
    model, port = free_port(), free_port()
    tokens = retail.keys(given.stores)
    (folder / "chain").mkdir()
    retail.write(folder / "chain", f"http://127.0.0.1:{model}/v1", tokens)
    serve = [sys.executable, "-m", "fairlead", "serve", str(folder / "chain"), "--data", str(folder / "data")]
    log = folder / "fairlead.log"
    with (
        started([sys.executable, str(_HERE / "upstream.py"), str(model)], folder / "model.log") as upstream,
        started([*serve, "--port", str(port), "--workers", str(given.workers)], log) as fairlead,
    ):
        await _until_open(port, fairlead, log)
        warm = Day(port, tokens, retail.first_of_each(given.stores, given.seed))
        await warm.play()
        day = Day(port, tokens, retail.day(given.requests, given.stores, given.seed))
        before, wall = _taken(fairlead.pid, upstream.pid), time.monotonic()
        with _beside(given.beside, fairlead.pid):
            await day.play()
        wall = time.monotonic() - wall
        await asyncio.sleep(1.0)  # for work that was put off
        took = _taken(fairlead.pid, upstream.pid) - before
        written = _written(fairlead.pid)
    return {
        "requests": given.requests,
        "answered": day.statuses[200],
        "errors": {status: times for status, times in day.statuses.items() if status != 200},
        "warmed": sum(warm.statuses.values()),
        "fairlead_cpu_s": round(took.fairlead, 2),
        "ms_each": round(took.fairlead * 1e3 / max(1, given.requests), 3),
        "of_it_event_loop_s": round(took.loop, 2),
        "model_cpu_s": round(took.model, 2),
        "stores_cpu_s": round(took.stores, 2),
        "seconds": round(wall, 1),
        "p50_ms": round(_share(day.waited, 50) * 1e3, 1),
        "p99_ms": round(_share(day.waited, 99) * 1e3, 1),
        "written_mb": round(written / 1e6, 1),
    }


def _share(waited: list[float], percent: int) -> float:
    return sorted(waited)[len(waited) * percent // 100]


@dataclass(frozen=True)
class Taken:
    """Seconds of CPU so far: of all of Fairlead, of its event loop, of the model, of the stores that ask."""

    fairlead: float
    loop: float
    model: float
    stores: float

    def __sub__(self, before: "Taken") -> "Taken":
        return Taken(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


def _taken(fairlead: int, model: int) -> Taken:
    own = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    return Taken(cpu_of(fairlead), loop_of(fairlead), cpu_of(model), own)


@contextlib.contextmanager
def _beside(command: str, pid: int) -> Iterator[None]:
    """Run a command meanwhile, until it is interrupted."""
    process = subprocess.Popen(command.format(pid=pid).split()) if command else None
    yield
    if process is not None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def loop_of(pid: int) -> float:
    """Seconds of a process's first thread, which is its event loop's: what is left are the journal's and others."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS


def _written(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


def audited(folder: Path, found: dict[str, Any]) -> dict[str, Any]:
    """What the state says of the day: every request billed, budgets exact, the log whole, and the load by layer."""
    billed, spent = 0, 0
    with contextlib.closing(sqlite3.connect(folder / "data" / "state.db")) as state:
        for (record,) in state.execute("SELECT record FROM log"):
            known = decode_record(record)
            spent += known.cost
            billed += known.kind == "call_model" and known.outcome == "done"
        (held,) = state.execute("SELECT coalesce(sum(held), 0) FROM budget").fetchone()
        (counted,) = state.execute("SELECT spent FROM budget WHERE scope = 'organisation'").fetchone()
    size = sum(path.stat().st_size for path in (folder / "data").glob("state.db*"))
    return {
        "billed": billed - found["warmed"],
        "spent": spent / 1e9,
        "budgets_exact": counted == spent and held == 0,
        "log_verified": _fairlead(folder, "audit", "verify", "--json").returncode == 0,
        "state_mb": round(size / 1e6, 1),
        "load": json.loads(_fairlead(folder, "load", "--json", "--last", str(min(100_000, found["requests"]))).stdout),
    }


def _fairlead(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["--workspace", str(folder / "chain"), "--data", str(folder / "data")]
    return subprocess.run(
        [sys.executable, "-m", "fairlead", *words, *where], text=True, capture_output=True, check=False
    )


def shown(found: dict[str, Any]) -> None:
    layers = found["load"]["layers"]
    for name, value in found.items():
        if name != "load":
            print(f"{name:<16}{value}")
    print(f"\nload by layer, of {found['load']['runs']} runs; µs a request")
    for each in layers:
        print(f"  {each['layer']:<18}{each['share']:>6.1%}{each['mean']:>9.0f}{each['waited']:>9.0f} waited")
    inside = sum(each["mean"] for each in layers)
    print(f"  {inside:.0f} µs in all stages, by the wall clock")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=50_000)
    options.add_argument("--stores", type=int, default=retail.STORES)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--beside", default="", help="a command that runs meanwhile, such as a profiler of {pid}")
    options.add_argument("--keep", action="store_true")
    given = options.parse_args()
    folder = Path(mkdtemp(prefix="fairlead-day-"))
    try:
        found = uvloop.run(played(given, folder))
        found.update(audited(folder, found))
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)
    shown(found)
    print(json.dumps(found))
    whole = found["answered"] == found["billed"] == found["requests"] and not found["errors"]
    return 0 if whole and found["budgets_exact"] and found["log_verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
