"""Let many clients race for one budget over several processes, until nothing fits any more.

Each call holds less than 1% of the cap and then costs less than it held. A client that is refused asks again until it
was refused many times in a row.

    overshoot    the most by which spending and holds together ever passed the cap (0)
    used_share   the share of the cap that was spent in the end (at least 0.95)
"""

import asyncio
import sys
from typing import Any

from tests.world import IN, OUT

from evals.asking import DOORS, code_of, question
from evals.stage import Stage, books, exchange, parser, say, stage, told

_OUTPUT = 20
_ENOUGH = 12  # refusals in a row after which a client gives up


def one_request(door: str) -> bytes:
    return question(door, "say 15", most=_OUTPUT)


def most_of_one(door: str) -> int:
    """What a call holds: every byte of the body as a token, and the output limit."""
    return len(one_request(door).partition(b"\r\n\r\n")[2]) * IN + _OUTPUT * OUT


class Race:
    """The clients' side."""

    def __init__(self, url: str, door: str) -> None:
        self._url, self._door = url, door
        self.answers = 0
        self.refusals = 0
        self.surprises: list[str] = []

    async def run(self) -> None:
        refused, request = 0, one_request(self._door)
        while refused < _ENOUGH:
            response = await exchange(self._url, request)
            if response.status == 200:
                self.answers += 1
                refused = 0
            elif code_of(response) == "over_budget":
                self.refusals += 1
                refused += 1
                await asyncio.sleep(0.02 * refused)
            else:
                self.surprises.append(f"{response.status} {code_of(response)}")
                await asyncio.sleep(0.1)


async def watch(made: Stage, cap: int, over: list[int]) -> None:
    """Look again and again by how much the cap is passed."""
    while True:
        over.append(await asyncio.to_thread(_excess, made, cap))
        await asyncio.sleep(0.1)


def _excess(made: Stage, cap: int) -> int:
    found = books(made.database)
    return max(0, found.spent["organisation"] + found.held - cap)


async def measure(
    clients: int, processes: int, calls: int = 600, keep: bool = False, storage: str = "sqlite", door: str = "chat"
) -> dict[str, Any]:
    """One run; returns what is printed. `calls` is about how many holds fit under the cap."""
    cap = most_of_one(door) * calls
    whole = {"budgets": {"organisation": {"total": f"{cap // 10**9}.{cap % 10**9:09d}"}}}
    async with stage(processes, whole, keep=keep, storage=storage) as made:
        race, over = Race(f"http://127.0.0.1:{made.port}", door), [0]
        watching = asyncio.ensure_future(watch(made, cap, over))
        await asyncio.gather(*(race.run() for _ in range(clients)))
        watching.cancel()
        over.append(_excess(made, cap))
        charges = await made.charges()
        found = books(made.database)
        say(f"{race.answers} answers, {race.refusals} refusals, {len(over)} looks")
    spent = found.spent["organisation"]
    return {
        "clients": clients,
        "processes": processes,
        "answers": race.answers,
        "refusals": race.refusals,
        "hold_share": round(most_of_one(door) / cap, 6),
        "overshoot": max(over),
        "used_share": round(spent / cap, 4),
        "held_left": found.held,
        "uncharged": race.answers - sum(each["outcome"] == "complete" for each in charges),
        "surprises": race.surprises[:5],
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--processes", type=int, default=3)
    options.add_argument("--calls", type=int, default=600, help="about how many holds fit under the cap (default 600)")
    options.add_argument("--door", choices=DOORS, default="chat", help="which door is asked (default chat)")
    given = options.parse_args()
    result = asyncio.run(measure(given.clients, given.processes, given.calls, given.keep, given.storage, given.door))
    fair = result["overshoot"] == 0 and result["used_share"] >= 0.95 and result["held_left"] == 0
    return told(result, not fair or bool(result["surprises"]))


if __name__ == "__main__":
    sys.exit(main())
