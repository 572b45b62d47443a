"""Kill workers under load, and count what was lost.

Clients ask without pause while a random worker is killed (SIGKILL) again and again; the parent starts another. Then the
provider's own ledger is compared with Fairlead's, joined by the idempotency key of each attempt.

    kills, charges         how many there were
    without_row            charges of the provider that no record tells of                             (0)
    settled_twice          attempts with more than one record of money                                 (0)
    acknowledged_lost      replies that a client got whole, whose record says anything else than done  (0)
    remembered_apart       responses that were billed and not remembered, or remembered and not billed         (0)
    audit_ok, held_left    whether the log's tree holds, and money that is still held at the end       (true, 0)
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from typing import Any

from evals.asking import DOORS, ended_well, question
from evals.stage import Books, Incomplete, Stage, books, chance, exchange, parser, say, stage, told

WHOLE: dict[str, Any] = {
    "budgets": {"organisation": {"total": 100_000}, "persons": {"*": {"total": 100_000}}},
    "breaker": {"failures": 1_000_000, "least": 1_000_000},
}
_RECOVERY_S = 90.0


class Clients:
    """Ask until told to stop, and remember whose reply came whole."""

    def __init__(self, url: str, rng: random.Random, door: str) -> None:
        self._url, self._rng, self._door = url, rng, door
        self.stopping = False
        self.acknowledged: list[str] = []
        self.broken = 0
        self.refused = 0

    async def ask(self) -> None:
        while not self.stopping:
            streamed = self._rng.random() < 0.6
            content, person = f"say {self._rng.randrange(1, 30)}", self._rng.choice(["kim", "lee"])
            request = question(self._door, content, stream=streamed, person=person)
            try:
                response = await exchange(self._url, request)
            except (Incomplete, OSError, TimeoutError):
                self.broken += 1
                await asyncio.sleep(0.02)
                continue
            if ended_well(response):
                self.acknowledged.append(response.headers["x-fairlead-run"])
            else:
                self.refused += 1
                await asyncio.sleep(0.05)


async def kill_some(made: Stage, kills: int, workers: int, rng: random.Random, clients: Clients) -> int:
    """Kill a worker, wait until there are as many as before, and again."""
    done, silent_since = 0, time.monotonic()
    while done < kills:
        await asyncio.sleep(0.15 + rng.random() * 0.4)
        living = made.workers()
        if len(living) < workers:
            if time.monotonic() - silent_since > 60:
                raise RuntimeError(f"killed workers are not replaced:\n{made.log_tail()}")
            continue
        silent_since = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(rng.choice(living), signal.SIGKILL)
            done += 1
        if done % 10 == 0:
            say(f"{done} kills, {len(clients.acknowledged)} replies, {clients.broken} broken off")
    return done


async def until_recovered(made: Stage) -> None:
    """Until nothing is held any more, or patience ends."""
    deadline = time.monotonic() + _RECOVERY_S
    while time.monotonic() < deadline:
        found = books(made.database)
        if found.open_holds == 0:
            return
        await asyncio.sleep(0.5)


async def measure(
    kills: int,
    workers: int,
    concurrency: int,
    seed: int,
    keep: bool = False,
    storage: str = "sqlite",
    door: str = "chat",
) -> dict[str, Any]:
    """One run; returns what is printed."""
    rng = chance(seed)
    async with stage(workers, WHOLE, keep=keep, storage=storage) as made:
        await made.behave("trickle")
        clients = Clients(f"http://127.0.0.1:{made.port}", rng, door)
        asking = [asyncio.ensure_future(clients.ask()) for _ in range(concurrency)]
        started = time.monotonic()
        done = await kill_some(made, kills, workers, rng, clients)
        await asyncio.sleep(0.5)
        clients.stopping = True
        await asyncio.gather(*asking)
        say(f"killed {done} workers in {time.monotonic() - started:.0f} s; waiting for recovery")
        await until_recovered(made)
        charges = [each for each in await made.charges() if each["outcome"] != "refused"]
        found = books(made.database)
    attempts = found.attempts
    outcomes = {each.run: each.outcome for each in found.records if each.kind == "call_model"}
    cost = sum(each.cost for each in found.records)
    return {
        "kills": done,
        "charges": len(charges),
        "replies": len(clients.acknowledged),
        "orphaned": sum(each.outcome == "orphaned" for each in found.records),
        "without_row": sum(each["request"] not in attempts for each in charges),
        "settled_twice": sum(count > 1 for count in attempts.values()),
        "acknowledged_lost": sum(outcomes.get(run) != "done" for run in clients.acknowledged),
        "money_astray": abs(found.spent["organisation"] - cost),
        "remembered_apart": len(_remembered(found) ^ found.turns),
        "audit_ok": found.audit_holds(),
        "held_left": found.held,
    }


def _remembered(found: Books) -> set[str]:
    """The turns that there must be: of every response that was billed as done, and of nothing else."""
    done = (each.run for each in found.records if each.door == "openai.responses" and each.outcome == "done")
    return {run.replace("run_", "resp_", 1) for run in done}


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--workers", type=int, default=3)
    options.add_argument("--concurrency", type=int, default=16)
    options.add_argument("--door", choices=DOORS, default="chat", help="which door is asked (default chat)")
    given = options.parse_args()
    result = asyncio.run(
        measure(given.kills, given.workers, given.concurrency, given.seed, given.keep, given.storage, given.door)
    )
    zero = ("without_row", "settled_twice", "acknowledged_lost", "money_astray", "held_left", "remembered_apart")
    return told(result, not result["audit_ok"] or any(result[name] for name in zero))


if __name__ == "__main__":
    sys.exit(main())
