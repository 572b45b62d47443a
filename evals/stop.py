"""Throw the kill switch again and again while clients ask over several processes, and look who went by the old state.

asked_stopped   requests sent between the return of a stop and the next resume
late_answers    of these, answered all the same (0)
late_calls      of these, seen by the provider (0)
still_refused   requests sent between the return of a resume and the next stop, and refused by the stop (0)
unrecorded      stops and resumes that the log does not tell of (0)
stop_ms         what the command `stop` took, from the words to its return: median and most
start_ms        what the start of a program took that does no more than `fairlead --version`, under the same load: it
                would come on top of the former, and on a machine that is busy with the clients it is most of the whole
"""

import asyncio
import contextlib
import io
import json
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
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


class Hand:
    """Runs commands of `fairlead` in a process of its own, in which the program has started already."""

    def __init__(self, made: Stage) -> None:
        self._place = ["-w", str(made.folder / "acme"), "--data", str(made.folder / "data"), "--json"]
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    async def command(self, *words: str) -> float:
        """Run one, and return its seconds."""
        running = asyncio.get_running_loop().run_in_executor(self._pool, carried_out, [*words, *self._place])
        status, out, err, seconds = await running
        if status or json.loads(out)["missing"]:
            raise RuntimeError(f"{words[0]} ended with {status}: {err}")
        return seconds

    def close(self) -> None:
        self._pool.shutdown()


def carried_out(words: list[str]) -> tuple[int, str, str, float]:
    """A command's status, what it said on both streams, and its seconds."""
    import fairlead.cli.stopping  # noqa: F401  (what the command needs is part of the start)
    from fairlead.cli.main import run

    out, err, started = io.StringIO(), io.StringIO(), time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(words)
    return status, out.getvalue(), err.getvalue(), time.monotonic() - started


async def start_of_a_program() -> float:
    """Seconds that a start takes now."""
    started = time.monotonic()
    line = [sys.executable, "-m", "fairlead", "--version"]
    process = await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.DEVNULL)
    await process.wait()
    return time.monotonic() - started


async def switch(hand: Hand, rounds: int) -> tuple[list[tuple[str, float]], list[float]]:
    """Stop and resume in turn. Gives the moments at which each began and returned, and what stopping took."""
    moments, took = [("resumed", time.monotonic())], []
    for number in range(rounds):
        kind = _SWITCHES[number % len(_SWITCHES)]
        what = [kind, _NAMES[kind]] if _NAMES[kind] else [kind]
        moments.append(("stopping", time.monotonic()))
        took.append(await hand.command("stop", *what, "--reason", "a drill"))
        moments.append(("stopped", time.monotonic()))
        await asyncio.sleep(0.4)
        moments.append(("resuming", time.monotonic()))
        await hand.command("resume", *what)
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
        hand = Hand(made)
        try:
            moments, took = await switch(hand, rounds)
            start = await start_of_a_program()
        finally:
            hand.close()
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
        "start_ms": round(start * 1000),
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
