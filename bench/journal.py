"""What the journal costs: CPU per action (reserve, then settle with record and spans), by concurrency and processes.

    python bench/journal.py [--actions 4000] [--rounds 3] [--payload 0] [--work 0] [--folder DIR]

Alternates NORMAL and FULL, so that a change in the machine's mood hits both. `plain` is the same loop with futures that
nobody writes for: what is left after subtracting it is the journal's. Prints one JSON line for each combination: the
best of the rounds, because a shared machine only ever adds.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from fairlead.clock import SystemClock, new_id
from fairlead.storage.journal import Journal
from fairlead.storage.migrations import migrate
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, Hold, Receipt, ScopeLimit, Sealed, Write

RECORD, SPANS, INTENT = b"r" * 700, b"s" * 900, b"i" * 500


class Plain:
    """Futures that are answered in the loop's next turn."""

    clock = SystemClock()

    def commit(self, write: Write) -> "asyncio.Future[Receipt]":
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, Receipt())
        return future

    def close(self) -> None: ...


def limits(number: int) -> tuple[ScopeLimit, ...]:
    cap = 10**18
    return (
        ScopeLimit("organisation", "2026-11", cap, (50,)),
        ScopeLimit(f"department/{number % 5}", "2026-11", cap, (50,)),
        ScopeLimit(f"person/{number % 50}", "2026-11", cap),
    )


def spin(seconds: float) -> None:
    """What the rest of a request does on the loop's thread, while the writer thread wants the interpreter too."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def one(journal: Journal | Plain, number: int, payload: bytes, work: float, waits: list[float]) -> None:
    clock = Plain.clock
    spin(work)
    run = new_id(clock, "run")
    hold = Hold(f"{run}.1", 1_000_000, limits(number), INTENT)
    begun = time.perf_counter()
    await journal.commit(Write(open=hold))
    waits.append(time.perf_counter() - begun)
    sealed = Sealed("sub_1", payload) if payload else None
    entry = Entry(run, clock.now(), RECORD, SPANS, sealed)
    await asyncio.sleep(0)
    begun = time.perf_counter()
    receipt = await journal.commit(Write(close=hold, spent=700_000, entries=(entry,)))
    waits.append(time.perf_counter() - begun)
    assert receipt.closed


async def load(path: Path, kind: str, concurrency: int, actions: int, payload: int, work: int) -> dict[str, object]:
    clock = Plain.clock
    journal: Journal | Plain = Plain()
    if kind != "plain":
        journal = Journal(Store.open(path), new_id(clock, "worker"), clock, JournalSettings(synchronous=kind))
    body, waits, numbers = os.urandom(payload), [], iter(range(actions))

    async def lane() -> None:
        for number in numbers:
            await one(journal, number, body, work / 1e6, waits)

    gc.collect()
    gc.freeze()  # as a worker does once it has started
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(concurrency)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    journal.close()
    waits.sort()
    return {"cpu": cpu, "wall": wall, "p50": waits[len(waits) // 2], "p99": waits[len(waits) * 99 // 100]}


def run(folder: Path, kind: str, processes: int, concurrency: int, actions: int, *rest: int) -> dict[str, float]:
    """All processes on one fresh file, started together; times in µs per action, waits in ms."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "state.db"
        migrate(path)
        job = [str(path), kind, str(concurrency), str(actions // processes), *map(str, rest)]
        started = [
            subprocess.Popen([sys.executable, __file__, "--job", *job], stdin=-1, stdout=-1, text=True)
            for _ in range(processes)
        ]
        for process in started:
            process.stdout.readline()
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        results = [json.loads(process.communicate()[0]) for process in started]
        wal = Path(f"{path}-wal").stat().st_size if Path(f"{path}-wal").exists() else 0
    done = actions // processes * processes
    return {
        "cpu_us": sum(r["cpu"] for r in results) / done * 1e6,
        "wall_us": max(r["wall"] for r in results) / done * 1e6,
        "p50_ms": statistics.median(r["p50"] for r in results) * 1e3,
        "p99_ms": max(r["p99"] for r in results) * 1e3,
        "wal_mb": wal / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--payload", type=int, default=0, help="bytes of sealed payload with each settlement")
    parser.add_argument("--work", type=int, default=0, help="µs that each action keeps the loop's thread busy")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--concurrency", type=int, nargs="*", default=[1, 16, 64])
    parser.add_argument("--kinds", nargs="*", default=["plain", "normal", "full"])
    parser.add_argument("--job", nargs=6)
    chosen = parser.parse_args()
    if chosen.job:
        path, kind, *numbers = chosen.job
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(uvloop.run(load(Path(path), kind, *map(int, numbers)))))
        return
    for processes in chosen.processes:
        for concurrency in chosen.concurrency:
            rows: dict[str, list[dict[str, float]]] = {kind: [] for kind in chosen.kinds}
            actions = chosen.actions if concurrency > 1 else max(200, chosen.actions // 4)
            for _ in range(chosen.rounds):
                for kind, found in rows.items():
                    found.append(run(chosen.folder, kind, processes, concurrency, actions, chosen.payload, chosen.work))
            for kind, found in rows.items():
                best = {name: round(min(row[name] for row in found), 2) for name in found[0]}
                print(json.dumps({"processes": processes, "concurrency": concurrency, "kind": kind, **best}))


if __name__ == "__main__":
    main()
