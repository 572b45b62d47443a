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
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
from tests.world import key_of

from evals.markers import Finder, Found, planted
from evals.stage import Stage, chance, parser, say, stage, stop, told
from evals.zero_persistence_model import Said
from evals.zero_persistence_work import FUNCTIONS, INNER, POLICIES, SYSTEM, definition, made

WAYS: Final = ("done", "schema", "tool_error", "function_error", "undo", "agent", "sub", "deny", "slow", "cancel")
_FAILS: Final = ("function_error", "undo", "deny")
_UNSETTLED: Final = ("", "lost", "running", "cancelling")
_PATIENCE: Final = 90.0  # seconds for one run, kills included
_AT_ONCE: Final = 6


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
        "workflows/calc.py": FUNCTIONS,
        "systems/box.py": SYSTEM,
        "policies/main.cedar": POLICIES,
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
