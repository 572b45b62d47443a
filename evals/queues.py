"""Does simple work wait behind heavy work? Real processes and clients, a slow provider, and lanes.

    python -m evals.queues [--seconds 8]

Heavy calls are streams that trickle for about a second, simple ones take next to nothing. How long a simple call waited
for its turn is read from its trace, in parts of the mean time of a heavy one: with lanes and no flood, with lanes and a
flood of heavy work, and with the same flood and one queue for all. Then two departments with equal shares ask for heavy
work, one with six times as many clients as the other. `fairness` is Jain's index over the places' time that each got
while both asked, 1 for equal parts; `starved` counts calls that were refused or never answered. Prints one JSON line.
"""

import asyncio
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from evals.stage import Stage, chat, exchange, parser, say, stage, told
from fairlead.costs.record import decode_record
from fairlead.telemetry.trace import Span, decode

_WORDS = 60
_FLOOD = 16  # clients of heavy work
_CALM = 4  # clients of simple work
_PLACES = 4
_REPORT = "description: Long reports.\nexamples: [Write the yearly report., Compile a long report.]\nprefer: [slow]\n"
_LANES = {
    "running": _PLACES,
    "names": {"heavy": {"tasks": ["report"], "running": _PLACES // 2}, "simple": {"share": 4}},
    "usual": "simple",
}
_ONE_QUEUE = {"running": _PLACES, "names": {"only": {"tasks": ["report"]}}, "usual": "only"}


def _whole(lanes: Mapping[str, Any]) -> dict[str, Any]:
    def models(url: str) -> dict[str, Any]:
        def model(remote: str) -> dict[str, Any]:
            return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": "cloud"}}

        return {"small": model("tiny"), "slow": model("fault-trickle")}

    price = {"input": 2, "output": 8}
    return {"models": models, "prices": {"small": price, "slow": price}, "lanes": lanes}


class Crowd:
    """The clients, until `over`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = asyncio.Event()
        self.starved: list[str] = []
        self.asked_until = 0.0  # milliseconds since 1970

    async def heavy(self, person: str) -> None:
        """Ask for one report after the other."""
        await self._each(chat(f"say {_WORDS}", model="report", stream=True, person=person, max_tokens=_WORDS))

    async def simple(self, person: str) -> None:
        """Ask one question after the other, a few a second."""
        await self._each(chat("say 3", person=person, max_tokens=9), pause=0.1)

    async def _each(self, request: bytes, pause: float = 0.0) -> None:
        while not self._over.is_set():
            response = await exchange(self._url, request, limit=120)
            if not response.ended_well:
                self.starved.append(f"{response.status} {response.error}")
            await asyncio.sleep(pause)

    async def run(self, seconds: float, *, heavy: list[str], simple: list[str]) -> None:
        tasks = [asyncio.ensure_future(self.heavy(person)) for person in heavy]
        tasks += [asyncio.ensure_future(self.simple(person)) for person in simple]
        await asyncio.sleep(seconds)
        self.asked_until = time.time() * 1000
        self._over.set()
        await asyncio.gather(*tasks)


async def _measured(seconds: float, lanes: Mapping[str, Any], heavy: list[str], simple: list[str]) -> "Measured":
    async with stage(1, _whole(lanes), files={"tasks/report.yaml": _REPORT}) as made:
        crowd = Crowd(f"http://127.0.0.1:{made.port}")
        await crowd.run(seconds, heavy=heavy, simple=simple)
        found = Measured(made, crowd.starved, crowd.asked_until)
    say(f"{dict(found.calls)} {found.waits} refused: {Counter(found.starved)}")
    return found


class Measured:
    """What the log says of one crowd."""

    def __init__(self, made: Stage, starved: list[str], asked_until: float) -> None:
        self.starved = starved
        self.calls = Counter[str]()
        self.held = Counter[str]()  # nanoseconds for which a department's heavy calls held places, while both asked
        self.simple: list[int] = []
        self.heavy: list[int] = []
        assert isinstance(made.database, Path)
        with sqlite3.connect(f"file:{made.database}?mode=ro", uri=True) as connection:
            rows = connection.execute("SELECT record, spans FROM log ORDER BY seq").fetchall()
        connection.close()
        for raw, spans in rows:
            record = decode_record(bytes(raw))
            if record.kind == "call_model" and record.outcome == "done":
                by_name = {span.name: span for span in decode(bytes(spans))}
                # What was still waiting when all stopped asking is served too, and says nothing of shares.
                begun = record.at + by_name["attempt"].start / 1e6
                self._count(record.task, record.department, by_name, counts=begun < asked_until)

    def _count(self, task: str, department: str, spans: Mapping[str, Span], *, counts: bool) -> None:
        self.calls[task] += 1
        queue = spans.get("queue")
        if task == "report":
            self.heavy.append(spans["attempt"].elapsed)
            self.held[department] += spans["attempt"].elapsed * counts
        else:
            self.simple.append(queue.waited if queue else 0)

    @property
    def waits(self) -> dict[str, float]:
        """The simple calls' waits, in parts of a heavy call."""
        long = mean(self.heavy) if self.heavy else 1e9
        simple = sorted(self.simple) or [0]
        return {"mean": round(mean(simple) / long, 4), "p95": round(simple[len(simple) * 95 // 100] / long, 4)}

    @property
    def fairness(self) -> float:
        """Jain's index."""
        parts = list(self.held.values())
        return sum(parts) ** 2 / (len(parts) * sum(part * part for part in parts))


async def measure(seconds: float) -> dict[str, Any]:
    """All four crowds; returns what is printed."""
    flood, calm = ["kim"] * _FLOOD, ["lee"] * _CALM
    quiet = await _measured(seconds, _LANES, [], calm)
    lanes = await _measured(seconds, _LANES, flood, calm)
    one = await _measured(seconds, _ONE_QUEUE, ["kim", "lee"] * (_FLOOD // 2), ["lee"] * _CALM)
    unequal = await _measured(seconds, _LANES, ["kim"] * 18 + ["lee"] * 3, [])
    return {
        "heavy_clients": _FLOOD,
        "simple_clients": _CALM,
        "places": _PLACES,
        "simple_calls": [len(each.simple) for each in (quiet, lanes, one)],
        "simple_wait_quiet": quiet.waits,
        "simple_wait_flooded": lanes.waits,
        "simple_wait_one_queue": one.waits,
        "fairness": round(unequal.fairness, 4),
        "starved": sum(len(each.starved) for each in (quiet, lanes, one, unequal)),
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--seconds", type=float, default=8.0, help="for how long each crowd asks (default 8)")
    result = asyncio.run(measure(options.parse_args().seconds))
    waits = result["simple_wait_flooded"]["p95"]
    return told(result, bool(result["starved"]) or result["fairness"] < 0.95 or waits > 0.1)


if __name__ == "__main__":
    sys.exit(main())
