"""Every fault that the provider knows, streamed and not, many times: no client hangs, no dead stream ends as if it were
whole, and no attempt is without its record.

    cells                         faults times two
    hangs                         requests that no answer ended in time                                         (0)
    clean_ends_on_dead_streams    replies that looked whole though the provider had not finished them           (0)
    attempts_without_row          charges of the provider that no record tells of                               (0)
    unsaid                        errors that were not in the door's format, with a code                        (0)
    money_astray                  what was spent, less what the records say                                     (0)
    unbilled                      output that the provider produced and that was billed nothing                 (0)
    charged_twice                 attempts that the provider worked for twice                                   (0)
"""

import asyncio
import sys
from collections import Counter
from typing import Any

from tests.faults.provider import FAULTS

from evals.asking import DOORS, code_of, ended_well, question
from evals.stage import Incomplete, Response, Stage, books, exchange, parser, say, stage, told

TOLD = frozenset(("cells", "requests", "charges", "audit_ok"))  # all else is to be 0
_HANG_S = 20.0
_AT_ONCE = 24
# The provider finished, or did what it was told to, and its reply is complete though something else is odd.
_WHOLE_OUTCOMES = ("complete",)
# What these faults charge as complete is not: the reply's end, or all of it, never comes.
_NEVER_WHOLE = ("done-without-finish", "empty-stream", "error-first")
# The reply is whole, end mark included; only the connection stays open until we leave.
_WHOLE_THOUGH_LEFT = ("holds-open",)


def whole(url: str) -> dict[str, Any]:
    """A model for each fault; breakers and pauses out of the way, short patience."""

    def model(fault: str) -> dict[str, Any]:
        timeouts = {"connect": 2, "first_byte": 1, "idle": 1}
        return {"use": f"openai-compatible/fault-{fault}", "url": f"{url}/v1", "timeouts": timeouts}

    names = [f"fault-{fault}" for fault in FAULTS]
    return {
        "models": {name: model(name.removeprefix("fault-")) for name in names},
        "prices": {name: {"input": 2, "output": 8} for name in names},
    }


_WHOLE: dict[str, Any] = {
    "models": lambda url: whole(url)["models"],
    "prices": lambda url: whole(url)["prices"],
    "budgets": {"organisation": {"total": 100_000}},
    "breaker": {"failures": 10**6, "least": 10**6, "cool_down": 0.001, "longest_cool_down": 0.001},
    "defaults": {"deadline": 8},
}


class Cells:
    """What clients saw, cell by cell."""

    def __init__(self) -> None:
        self.hangs: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.unsaid: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.well: dict[str, str] = {}  # run: cell of each reply that looked whole

    def saw(self, cell: str, response: Response) -> None:
        run = response.headers.get("x-fairlead-run", "")
        self.statuses[f"{cell} {response.status} {code_of(response)}"] += 1
        if ended_well(response):
            self.well[run] = cell
        elif not code_of(response) or not run:
            self.unsaid[cell] += 1


async def ask(url: str, door: str, fault: str, streamed: bool, cells: Cells, free: asyncio.Semaphore) -> None:
    cell = f"{fault}/{'streamed' if streamed else 'whole'}"
    request = question(door, "say 12", model=f"fault-{fault}", stream=streamed, most=100)
    async with free:
        try:
            cells.saw(cell, await exchange(url, request, limit=_HANG_S))
        except TimeoutError:
            cells.hangs[cell] += 1
        except (Incomplete, OSError):
            cells.broken[cell] += 1


async def play(made: Stage, times: int, door: str) -> Cells:
    cells, free = Cells(), asyncio.Semaphore(_AT_ONCE)
    url = f"http://127.0.0.1:{made.port}"
    for number in range(times):
        await asyncio.gather(
            *(ask(url, door, fault, streamed, cells, free) for fault in FAULTS for streamed in (False, True))
        )
        if number % 10 == 9:
            say(f"{number + 1} of {times}")
    return cells


async def measure(times: int, keep: bool = False, storage: str = "sqlite", door: str = "chat") -> dict[str, Any]:
    """One run; returns what is printed."""
    async with stage(1, _WHOLE, keep=keep, storage=storage) as made:
        cells = await play(made, times, door)
        charges = await made.charges()
        found = books(made.database)
    attempts = found.attempts
    cost = {f"{each.run}.{each.attempt}": each.cost for each in found.records if each.model}
    unfinished = {
        each["request"].rpartition(".")[0]: each["fault"]
        for each in charges
        if (each["outcome"] not in _WHOLE_OUTCOMES and each["fault"] not in _WHOLE_THOUGH_LEFT)
        or each["fault"] in _NEVER_WHOLE
    }
    dead = Counter(cell for run, cell in cells.well.items() if run in unfinished)
    unbilled = Counter(each["fault"] for each in charges if each["output"] and not cost.get(each["request"]))
    worked = Counter(each["request"] for each in charges if each["output"])
    for name, found_in in (("hang", cells.hangs), ("broken off", cells.broken), ("unsaid", cells.unsaid),
                           ("clean end on a dead stream", dead), ("unbilled", unbilled)):  # fmt: skip
        for cell, count in found_in.items():
            say(f"{name}: {cell} ({count})")
    return {
        "cells": 2 * len(FAULTS),
        "requests": 2 * len(FAULTS) * times,
        "charges": len(charges),
        "hangs": cells.hangs.total(),
        "broken_off": cells.broken.total(),
        "clean_ends_on_dead_streams": dead.total(),
        "attempts_without_row": sum(each["request"] not in attempts for each in charges),
        "settled_twice": sum(count > 1 for count in attempts.values()),
        "unsaid": cells.unsaid.total(),
        "unbilled": unbilled.total(),
        "charged_twice": sum(count > 1 for count in worked.values()),
        "money_astray": abs(found.spent["organisation"] - sum(each.cost for each in found.records)),
        "held_left": found.held,
        "audit_ok": found.audit_holds(),
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--times", type=int, default=50)
    options.add_argument("--door", choices=DOORS, default="chat", help="which door is asked (default chat)")
    given = options.parse_args()
    result = asyncio.run(measure(given.times, given.keep, given.storage, given.door))
    zero = set(result) - TOLD
    return told(result, not result["audit_ok"] or any(result[name] for name in zero))


if __name__ == "__main__":
    sys.exit(main())
