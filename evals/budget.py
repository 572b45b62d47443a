"""Budgets exact under everything at once: many clients race for one budget over several processes until nothing fits
any more, with streams, clients that leave, retries, fallbacks after attempts that were charged, a model under two names
and with two deployments, and workers that are killed (SIGKILL) meanwhile.

The provider's own ledger is the truth, joined by the idempotency key of each attempt.

    overshoot    the most by which spending and holds together ever passed the cap                            (0)
    usable       the share of the cap that was spent in the end                                              (0.95)
    unbilled     charges of the provider that no record bills in full; of broken ones, that none bills at all  (0)
    double       attempts with more than one record of money                                                   (0)
    wrong        complete charges that are billed otherwise than to the nano-unit, workers' deaths apart        (0)
    astray       by how much the budget's sum and the log's differ, in nano-units                               (0)
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

from tests.world import IN, OUT

from evals.asking import code_of, ended_well, question
from evals.kill import until_recovered
from evals.race import most_of_one
from evals.stage import Books, Incomplete, Stage, books, exchange, parser, say, stage, told

_OUTPUT = 20
_CACHED = 500  # nano-units of a token that the provider had kept; it tells of one in each request
_ENOUGH = 8  # refusals in a row after which a client gives up
_MODELS = ("small", "twin", "pool", "shaky")
_NAMES = (*_MODELS, "tiny-latest")
_PRICE = {"input": 2, "output": 8, "cached_input": 0.5}


def workspace(cap: int) -> dict[str, Any]:
    """One model under two names, one with two deployments, and one that charges and dies, behind which others stand."""

    def models(url: str) -> dict[str, Any]:
        def model(remote: str) -> dict[str, Any]:
            return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": "cloud"}}

        here = {"use": "openai-compatible/tiny", "placement": {"kind": "cloud"}}
        pool = {"one": {"url": f"{url}/v1"}, "two": {"url": f"{url}/v1/"}}
        return {
            "small": {**model("tiny"), "aliases": ["tiny-latest"]},
            "twin": model("tiny"),
            "shaky": model("fault-charge-then-die"),
            "pool": {**here, "deployments": pool},
        }

    return {
        "models": models,
        "prices": dict.fromkeys(_MODELS, _PRICE),
        "prefer": ["shaky", "small", "twin"],
        "fallback": ["twin"],
        "retries": {"tries": 2},
        "breaker": {"failures": 1_000_000, "least": 1_000_000},
        "budgets": {
            "organisation": {"total": f"{cap // 10**9}.{cap % 10**9:09d}", "warn": ["50%", "80%", "95%"]},
            "departments": {"*": {"total": 100_000}},
            "persons": {"*": {"monthly": 100_000, "daily": 100_000}},
        },
    }


@dataclass
class Clients:
    """Ask until refused again and again."""

    url: str
    rng: random.Random
    answers: int = 0
    refusals: int = 0
    left: int = 0
    broken: int = 0
    surprises: list[str] = field(default_factory=list)

    async def run(self) -> None:
        refused = 0
        while refused < _ENOUGH:
            streamed, leaves = self.rng.random() < 0.5, self.rng.random() < 0.04
            name, person = self.rng.choice(_NAMES), self.rng.choice(["kim", "lee"])
            request = question("chat", "say 15", model=name, stream=streamed, person=person, most=_OUTPUT)
            try:
                response = await exchange(self.url, request, limit=0.05 + 0.2 * self.rng.random() if leaves else 30.0)
            except TimeoutError:
                self.left += 1
                continue
            except (Incomplete, OSError):
                self.broken += 1
                await asyncio.sleep(0.05)
                continue
            refused = self._noted(response, refused)
            await asyncio.sleep(0.02 * refused)

    def _noted(self, response: Any, refused: int) -> int:
        if ended_well(response):
            self.answers += 1
            return 0
        code = code_of(response)
        if code == "over_budget":
            self.refusals += 1
            return refused + 1
        if code not in ("overloaded", "database_away", "upstream", "upstream_cut_off"):
            self.surprises.append(f"{response.status} {code}")
        return refused


async def kill_some(made: Stage, kills: int, workers: int, rng: random.Random, killed: list[int]) -> None:
    """Kill one worker after the other, each once all live again."""
    while len(killed) < kills:
        await asyncio.sleep(0.4 + rng.random())
        living = made.workers()
        if len(living) == workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chosen := rng.choice(living), signal.SIGKILL)
                killed.append(chosen)


async def watch(made: Stage, cap: int, over: list[int]) -> None:
    """Look again and again by how much the cap is passed."""
    while True:
        over.append(await asyncio.to_thread(_excess, made, cap))
        await asyncio.sleep(0.1)


def _excess(made: Stage, cap: int) -> int:
    """By how much spending and holds of the one budget that the race is for pass its cap."""
    from fairlead.storage.balances import balances
    from fairlead.storage.store import Store

    with contextlib.closing(Store(made.database)) as store:
        standing = balances(store).get(("organisation", "all"))
    return 0 if standing is None else max(0, standing.held + standing.spent - cap)


def compared(found: Books, charges: list[dict[str, Any]]) -> dict[str, int]:
    """The provider's ledger beside ours."""
    billed: dict[str, int] = {}
    orphaned: set[str] = set()
    for record in found.records:
        if record.kind in ("call_model", "attempt") and record.model:
            key = f"{record.run}.{record.attempt}"
            billed[key] = billed.get(key, 0) + record.cost
            if record.outcome == "orphaned":
                orphaned.add(key)
    unbilled = wrong = 0
    for charge in charges:
        truth = (charge["input"] - 1) * IN + _CACHED + charge["output"] * OUT
        ours, complete = billed.get(charge["request"], 0), charge["outcome"] == "complete"
        unbilled += ours < truth if complete else ours <= 0
        wrong += complete and charge["request"] not in orphaned and ours != truth
    return {
        "unbilled": unbilled,
        "double": sum(count > 1 for count in found.attempts.values()),
        "wrong": wrong,
        "astray": abs(found.spent["organisation"] - sum(record.cost for record in found.records)),
    }


async def measure(
    clients: int, processes: int, calls: int, kills: int, seed: int, store: str, keep: bool
) -> dict[str, Any]:
    """One run; returns what is printed. `calls` is about how many holds fit under the cap."""
    cap, rng = most_of_one("chat") * calls, random.Random(seed)
    async with stage(
        processes, workspace(cap), keep=keep, storage="sqlite" if store == "sqlite" else "postgres"
    ) as made:
        await made.behave("trickle")
        race, over, killed = Clients(f"http://127.0.0.1:{made.port}", rng), [0], list[int]()
        watching = asyncio.ensure_future(watch(made, cap, over))
        killing = asyncio.ensure_future(kill_some(made, kills, processes, rng, killed))
        await asyncio.gather(*(race.run() for _ in range(clients)))
        killing.cancel()
        say(f"{race.answers} answers, {race.refusals} refusals; waiting for what the dead have held")
        await until_recovered(made)
        await asyncio.gather(*(race.run() for _ in range(clients // 4)))
        await until_recovered(made)
        watching.cancel()
        over.append(_excess(made, cap))
        charges = [each for each in await made.charges() if each["outcome"] != "refused"]
        found = books(made.database)
        died = sum(each.outcome == "orphaned" for each in found.records)
    spent = found.spent["organisation"]
    return {
        "store": store,
        "clients": clients,
        "processes": processes,
        "hold_share": round(most_of_one("chat") / cap, 6),
        "answers": race.answers,
        "refusals": race.refusals,
        "clients_left": race.left,
        "charges": len(charges),
        "kills": len(killed),
        "orphaned": died,
        "looks": len(over),
        "overshoot": max(over),
        "usable": round(spent / cap, 4),
        **compared(found, charges),
        "held_left": found.held,
        "audit_ok": found.audit_holds(),
        "surprises": race.surprises[:5],
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite", help="where state is kept")
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--processes", type=int, default=3)
    options.add_argument("--calls", type=int, default=600, help="about how many holds fit under the cap (default 600)")
    options.add_argument("--kills", type=int, default=6, help="workers that are killed in the race (default 6)")
    given = options.parse_args()
    store = "postgresql" if given.storage == "postgres" else given.store
    result = asyncio.run(
        measure(given.clients, given.processes, given.calls, given.kills, given.seed, store, given.keep)
    )
    zero = ("overshoot", "unbilled", "double", "wrong", "astray", "held_left", "surprises")
    return told(result, any(result[name] for name in zero) or result["usable"] < 0.95 or not result["audit_ok"])


if __name__ == "__main__":
    sys.exit(main())
