"""How calls are best shared among deployments, by simulation: what callers wait, and how often a cache can help.

    python bench/balancing.py [--calls 10000] [--seed 1]

Several worker processes, each of which knows only what it has under way itself, send calls to deployments that serve
some at once and keep the rest waiting. Calls differ in length as replies do (log-normal), and arrive at random. Three
ways to choose are compared: a draw, the better of two drawn (power of two choices), and the least under way; then what
keeping conversations together costs, by how far a deployment may be behind the least before a call goes elsewhere. The
choice is made by the code of the path. No clock is read: equal seeds give equal figures.
"""

import argparse
import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean
from typing import Final

from fairlead.models.deployments import Busy, Group, Member, ordered
from fairlead.routing.outstanding import Outstanding

PLACES: Final = 8  # calls that a deployment serves at once
USUAL: Final = 600  # tokens of a call as they are known before it is made: its input and the limit of its output
LOAD: Final = 0.8  # of what all deployments can do together
OUTPUT: Final = 480  # tokens that it comes to on average


@dataclass
class Deployment:
    """A server: `pace` is in tokens a second for each of its places."""

    pace: float
    free: list[float] = field(default_factory=lambda: [0.0] * PLACES)

    def take(self, now: float, tokens: int) -> float:
        """When a call that comes now has been answered."""
        begins = max(now, heapq.heappop(self.free))
        heapq.heappush(self.free, begins + tokens / self.pace)
        return begins + tokens / self.pace


Choose = Callable[[Group, str, Busy], str]


def drawn(group: Group, key: str, busy: Busy) -> str:
    return ordered(group, key)[0]


def of_two(group: Group, key: str, busy: Busy) -> str:
    return min(ordered(group, key)[:2], key=lambda name: busy.get(name, (0, 0)))


def least_tokens(group: Group, key: str, busy: Busy) -> str:
    return ordered(group, key, {name: (tokens, 0) for name, (_, tokens) in busy.items()})[0]


def least_calls(group: Group, key: str, busy: Busy) -> str:
    return ordered(group, key, busy)[0]


def staying(slack: float) -> Choose:
    return lambda group, key, busy: ordered(group, key, busy, slack)[0]


def simulated(
    choose: Choose, paces: list[float], workers: int, talks: int, count: int, seed: int, knows: bool = False
) -> dict[str, float]:
    """Mean and 99th percentile of seconds until calls were answered, and the share of calls that came to where the one
    before of their conversation had gone. Without `talks` each call is by itself. With `knows` it is known of a call
    about how long it will be, as of one with a long input and a short output; else nothing is."""
    luck = random.Random(seed)
    group = Group("m", tuple(Member(f"m/{at}") for at in range(len(paces))))
    servers = {member.name: Deployment(pace) for member, pace in zip(group.members, paces, strict=True)}
    under_way: list[tuple[float, int, str, int]] = []
    outstanding = [Outstanding() for _ in range(workers)]
    last: dict[str, str] = {}
    waits: list[float] = []
    now, kept = 0.0, 0
    rate = LOAD * sum(paces) * PLACES / OUTPUT
    for number in range(count):
        now += luck.expovariate(rate)
        while under_way and under_way[0][0] <= now:
            _, worker, name, size = heapq.heappop(under_way)
            outstanding[worker].end(name, size)
        # Few conversations have many of the calls, as few agents have.
        key = f"talk {int(talks ** luck.random())}" if talks else f"run {number} {seed}"
        worker = luck.randrange(workers)
        name = choose(group, key, outstanding[worker].busy)
        output = round(min(luck.lognormvariate(5.8, 0.9), 8 * USUAL))
        known = round((output if knows else USUAL) * luck.choice((0.4, 1.0, 1.6)))
        done = servers[name].take(now, output)
        outstanding[worker].begin(name, known)
        heapq.heappush(under_way, (done, worker, name, known))
        waits.append(done - now)
        kept += last.get(key) == name
        last[key] = name
    waits.sort()
    found = {"mean": round(mean(waits), 2), "p99": round(waits[len(waits) * 99 // 100], 2)}
    return found | {"kept": round(kept / count, 3)} if talks else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    ways: dict[str, Choose] = {
        "draw": drawn,
        "better of two": of_two,
        "least tokens": least_tokens,
        "least calls": least_calls,
    }
    found: dict[str, dict[str, float]] = {}
    for about, paces in (("alike", [60.0] * 4), ("one slow", [60.0, 60.0, 60.0, 20.0])):
        for workers, knows in ((1, False), (4, False), (4, True)):
            for way, choose in ways.items():
                said = simulated(choose, paces, workers, 0, asked.calls, asked.seed, knows)
                found[f"{about}, {workers} workers{', length known' if knows else ''}, {way}"] = said
    for slack in (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 1e9):
        said = simulated(staying(slack), [60.0] * 4, 4, 200, asked.calls, asked.seed)
        found[f"conversations, 4 workers, {slack:g} calls behind"] = said
    for about, said in found.items():
        print(f"{about:45}", *(f"{name} {figure}" for name, figure in said.items()))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
