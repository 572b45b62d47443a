"""Throw the kill switch again and again while clients ask over several processes, and look who went by the old state.

asked_stopped   requests sent between the return of a stop and the next resume
late_answers    of these, answered all the same (0)
late_calls      of these, seen by the provider (0)
still_refused   requests sent between the return of a resume and the next stop, and refused by the stop (0)
unrecorded      stops and resumes that the log does not tell of (0)
stop_ms         what `fairlead stop` took, the start of the program included: median and most
"""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from itertools import pairwise
from typing import Any

from msgspec import Struct

from evals.stage import Incomplete, Stage, books, chat, exchange, parser, say, stage, told

_SWITCHES = ("person", "department", "model", "system", "organisation")
_NAMES = {"person": "kim", "department": "sales", "model": "small", "system": "openai-compatible", "organisation": ""}


class Asked(Struct, frozen=True):
    """One request: when it was sent, what came of it, and its run."""

    at: float
    status: int
    code: str
    run: str


class Clients:
    """Ask without pause until told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.stopping = False
        self.asked: list[Asked] = []

    async def ask(self) -> None:
        while not self.stopping:
            at = time.monotonic()
            with contextlib.suppress(Incomplete, OSError, TimeoutError):
                response = await exchange(self._url, chat("say 3"))
                run = response.headers.get("x-fairlead-run", "")
                self.asked.append(Asked(at, response.status, response.error, run))
            await asyncio.sleep(0.005)


async def command(made: Stage, *words: str) -> float:
    """Run a command of `fairlead`, and return its seconds."""
    line = [sys.executable, "-m", "fairlead", *words, "-w", str(made.folder / "acme"), "--data"]
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *line, str(made.folder / "data"), "--json", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode or json.loads(out)["missing"]:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}: {err.decode()}")
    return time.monotonic() - started


async def switch(made: Stage, rounds: int) -> tuple[list[tuple[str, float]], list[float]]:
    """Stop and resume in turn. Gives the moments at which each began and returned, and what stopping took."""
    moments, took = [("resumed", time.monotonic())], []
    for number in range(rounds):
        kind = _SWITCHES[number % len(_SWITCHES)]
        what = [kind, _NAMES[kind]] if _NAMES[kind] else [kind]
        moments.append(("stopping", time.monotonic()))
        took.append(await command(made, "stop", *what, "--reason", "a drill"))
        moments.append(("stopped", time.monotonic()))
        await asyncio.sleep(0.4)
        moments.append(("resuming", time.monotonic()))
        await command(made, "resume", *what)
        moments.append(("resumed", time.monotonic()))
        await asyncio.sleep(0.2)
        say(f"{number + 1} of {rounds}: {kind}, {took[-1]:.2f} s")
    return moments, took


def during(asked: list[Asked], moments: list[tuple[str, float]], state: str) -> list[Asked]:
    """What was sent while this was the state for certain."""
    spans = [(start, end) for (name, start), (_, end) in pairwise(moments) if name == state]
    return [each for each in asked if any(start < each.at < end for start, end in spans)]


async def measure(
    rounds: int, clients: int, processes: int, keep: bool = False, storage: str = "sqlite"
) -> dict[str, Any]:
    """One run; returns what is printed."""
    async with stage(processes, {"budgets": {"organisation": {"total": 100_000}}}, keep=keep, storage=storage) as made:
        asking = Clients(f"http://127.0.0.1:{made.port}")
        tasks = [asyncio.ensure_future(asking.ask()) for _ in range(clients)]
        moments, took = await switch(made, rounds)
        asking.stopping = True
        await asyncio.gather(*tasks)
        called = {str(each["request"]).partition(".")[0] for each in await made.charges()}
        found = books(made.database)
    stopped, open_ = during(asking.asked, moments, "stopped"), during(asking.asked, moments, "resumed")
    return {
        "rounds": rounds,
        "processes": processes,
        "requests": len(asking.asked),
        "asked_stopped": len(stopped),
        "late_answers": sum(each.status == 200 for each in stopped),
        "late_calls": sum(each.run in called for each in stopped),
        "still_refused": sum(each.code == "stopped" for each in open_),
        "answered": sum(each.status == 200 for each in open_),
        "unrecorded": 2 * rounds - sum(each.kind in ("stop", "resume") for each in found.records),
        "audit_ok": found.audit_holds(),
        "stop_ms": [round(statistics.median(took) * 1000), round(max(took) * 1000)],
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--clients", type=int, default=16)
    options.add_argument("--processes", type=int, default=3)
    given = options.parse_args()
    result = asyncio.run(measure(given.rounds, given.clients, given.processes, given.keep, given.storage))
    broken = any(result[name] for name in ("late_answers", "late_calls", "still_refused", "unrecorded"))
    return told(result, broken or not result["audit_ok"] or not result["asked_stopped"] or not result["answered"])


if __name__ == "__main__":
    sys.exit(main())
