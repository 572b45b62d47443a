"""Fairlead: durable runs of a workflow, begun and walked by one process as `fairlead workflow work` is, everything on:
the runs sealed under keys of their own, their beginnings and ends in the signed log; steps that ask a model pass
policies, detectors and budgets and are recorded and billed."""

import asyncio
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))
import gateway
from job import QUESTION, Job, given

from fairlead.clock import SystemClock
from fairlead.identity.types import Caller
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.surroundings import Surroundings

CALLER = Caller(person="person-0", department="retail", groups=frozenset({"staff"}), credential="key:k0")
_FUNCTION = "async def next_number(number: int) -> int:\n    return number + 1\n"


def definition(job: Job) -> dict[str, Any]:
    """As many steps in a row: each goes on from what the one before gave, or asks a model."""

    def step(at: int) -> dict[str, Any]:
        if job.upstream:
            return {"id": f"s{at}", "model": {"prompt": QUESTION, "model": "gpt-4o"}}
        before = "${input.number}" if at == 0 else f"${{steps.s{at - 1}.value}}"
        return {"id": f"s{at}", "python": {"function": "steps:next_number", "arguments": {"number": before}}}

    last = "${input.number + " + str(job.steps) + "}" if job.upstream else f"${{steps.s{job.steps - 1}.value}}"
    return {
        "input": {"properties": {"number": {"type": "integer"}}, "required": ["number"]},
        "steps": [step(at) for at in range(job.steps)],
        "output": last,
    }


def deployed(job: Job) -> Store:
    """A published workspace."""
    folder, where = Path(job.folder) / "acme", job.storage or Path(job.folder) / "state.db"
    (folder / "policies").mkdir(parents=True)
    (folder / "workflows").mkdir()
    whole = gateway.workspace(f"http://127.0.0.1:{job.upstream or 9}/v1", ["a key of nobody's"])
    (folder / "fairlead.yaml").write_text(json.dumps(whole))
    (folder / "policies" / "main.cedar").write_text(gateway.POLICIES)
    (folder / "workflows" / "row.yaml").write_text(json.dumps(definition(job)))
    (folder / "workflows" / "steps.py").write_text(_FUNCTION)
    migrate(where)
    store, clock = opened(job, where), SystemClock()
    publish(store, Fleet(store, clock), read_folder(folder), lambda _: None, by="bench", clock=clock)
    return store


def opened(job: Job, where: Where) -> Store:
    return Store.open(where, beside=Path(job.folder))


async def all_of(running: Running, runs: int, left: Callable[[], int], steps: int) -> None:
    """Begin so many, and wait until all are over: `left` tells how many are not."""
    workflows = running.workflows
    begun = []
    for number in range(runs):
        one = await asyncio.to_thread(workflows.begin, CALLER, "row", {"number": number}, once="", door="bench")
        begun.append(one["id"])
    while await asyncio.to_thread(left):  # noqa: ASYNC110 the database is asked, as a client would
        await asyncio.sleep(0.1)
    for number, run in ((0, begun[0]), (runs - 1, begun[-1])):
        shown = await asyncio.to_thread(workflows.shown, run, None)
        assert (shown["status"], shown.get("output")) == ("done", number + steps), shown


@contextmanager
def asking(job: Job) -> Iterator[Callable[[], int]]:
    """How many runs are not over: asked of the database directly, over one connection, as cheaply as it can be."""
    query = "SELECT count(*) FROM workflow_run WHERE status NOT IN ('done', 'failed', 'cancelled')"
    connection: Any
    if job.storage:
        import psycopg

        connection = psycopg.connect(job.storage, autocommit=True)
    else:
        connection = sqlite3.connect(Path(job.folder) / "state.db", check_same_thread=False)
    try:
        yield lambda: int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


async def run(job: Job) -> None:
    store = deployed(job)
    around = Surroundings(
        store=store, master_key=bytes(32), secrets=lambda _: None, clock=SystemClock(), walks=job.at_once
    )
    running = await assemble(around)
    with asking(job) as left:
        await all_of(running, 1, left, job.steps)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        cpu, wall = _cpu(), time.perf_counter()
        await all_of(running, job.runs, left, job.steps)
    print(json.dumps({"cpu": _cpu() - cpu, "wall": time.perf_counter() - wall}), flush=True)
    await running.stop()
    store.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    uvloop.run(run(given()))
