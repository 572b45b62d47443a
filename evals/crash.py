"""Kill whoever walks workflows, at random moments and under load, and count what was lost or done twice.

Runs of a workflow with questions to a model, writes to a system, a loop over lines and a pause are begun without pause,
while a random walker is killed (SIGKILL) again and again and another is started. The system writes down each call with
the idempotency key that it was given, and does what it is told once a key, as systems that know such keys do.

    kills, begun, completed    how many there were; all runs must come to their end
    died                       walkers that ended without having been killed                       (0)
    lost                       runs that did not, or that gave something else                          (0)
    acknowledged_lost          runs whose beginning was acknowledged, and that nobody knows any more   (0)
    external_double_effects    writes of one step that were done more than once, by keys of their own  (0)
    repeated_calls             writes that were sent again under the same key, which the system knew
    paid_twice                 model steps with more than one settled action that gave their result    (0)
    held_left                  money that is still held at the end                                     (0)
"""

import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
from tests.world import MASTER_KEY, published, settings

from evals.stage import chance, parser, postgres, provider, say, told
from evals.walkers import Walkers
from fairlead.clock import SystemClock
from fairlead.identity.types import Caller
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Started
from fairlead.workflows.runs import Runs

_PATIENCE_S = 240.0
_LINES = 3
_HELD = "SELECT coalesce(sum(amount), 0) FROM hold"
_SYSTEM = '''
import sqlite3
from contextlib import closing

from fairlead.tools.person import Person


def book(person: Person, run: str, step: str) -> str:
    """Book it."""
    with closing(sqlite3.connect({file!r}, timeout=30)) as books, books:
        books.execute("INSERT INTO call VALUES (?)", (person.idempotency_key,))
        books.execute("INSERT OR IGNORE INTO effect VALUES (?, ?, ?)", (person.idempotency_key, run, step))
    return "booked " + step
'''
_POLICIES = """
@id("calls") permit(principal, action == Action::"call_model", resource);
@id("release") permit(principal, action == Action::"release_reply", resource);
@id("books") permit(principal, action == Action::"ledger.book", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
"""


def _asks(id_: str) -> dict[str, Any]:
    return {"id": id_, "model": {"prompt": "Say something of ${input.what}.", "model": "small"}}


def _books(id_: str, step: str) -> dict[str, Any]:
    return {"id": id_, "tool": {"call": "ledger.book", "arguments": {"run": "${run.id}", "step": step}}}


DEFINITION = {
    "input": {"properties": {"what": {"type": "string"}, "lines": {"type": "array", "items": {"type": "integer"}}}},
    "steps": [
        _asks("read"),
        _books("first", "first"),
        {
            "id": "lines",
            "map": {
                "over": "input.lines",
                "at_most": 10,
                "at_once": 2,
                "steps": [_asks("judge"), _books("line", "line ${string(index)}")],
            },
        },
        {"id": "rest", "wait": {"for": "1s"}},
        _books("last", "last"),
    ],
    "output": "${steps.last.text}",
}


class Beginning:
    """Begins runs, so that a number of them is always under way."""

    def __init__(self, store: Store, vault: Vault, rng: random.Random, at_once: int) -> None:
        self.runs = Runs(store, vault, SystemClock())
        self.begun: list[str] = []
        self._rng, self._at_once = rng, at_once
        bundle = Bundle(name="crashes", definition=msgspec.convert(DEFINITION, Definition))
        self._digest, self._body = bundle.digest, bundle.body

    def fill(self) -> int:
        """Begin as many as are missing. How many are not over."""
        open_ones = sum(run.status not in ("done", "failed", "cancelled") for run in self.runs.all())
        for _ in range(self._at_once - open_ones):
            given = {"what": "ships", "lines": list(range(_LINES))}
            started = Started(workflow="crashes", digest=self._digest, body=self._body, input=given)
            run, _ = self.runs.begin(Caller(person="kim", department="sales", credential="key:kim"), started)
            self.begun.append(run.id)
        return open_ones


def measure(kills: int, workers: int, at_once: int, seed: int, storage: str, keep: bool) -> dict[str, Any]:
    rng, folder = chance(seed), Path(mkdtemp(prefix="fairlead-crash-"))
    booked = folder / "booked.db"
    with closing(sqlite3.connect(booked)) as books, books:
        books.execute("PRAGMA journal_mode=WAL")
        books.execute("CREATE TABLE call (key TEXT)")
        books.execute("CREATE TABLE effect (key TEXT PRIMARY KEY, run TEXT, step TEXT)")
    files = {"systems/ledger.py": _SYSTEM.format(file=str(booked)), "policies/main.cedar": _POLICIES}
    systems = {"ledger": {"use": "python", "file": "ledger.py"}}
    with _stored(storage, folder) as where, provider(folder) as url:
        store = published(folder, settings(url, systems=systems), files, SystemClock(), where or None)
        vault = Vault(MASTER_KEY, StoredSubjects(store), SystemClock())
        beginning = Beginning(store, vault, rng, at_once)
        walkers = Walkers(workers, where or str(store.path), folder / "data")
        try:
            started, at = time.monotonic(), 0
            for done in range(1, kills + 1):
                walkers.until_ready()
                beginning.fill()
                at = _until_walked(store, at)
                time.sleep(rng.random() * 2.0)
                walkers.kill_one(rng)
                if done % 20 == 0:
                    say(f"{done} kills, {len(beginning.begun)} runs begun, {time.monotonic() - started:.0f} s")
            _until_over(beginning.runs)
            _until_settled(store)
        finally:
            walkers.end()
        result = {
            "kills": kills,
            "workers": workers,
            "storage": storage,
            "died": walkers.died,
            **_counted(store, beginning, booked),
        }
        store.close()
    if keep:
        say(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _until_walked(store: Store, before: int) -> int:
    """Until some walk has gone on: who kills a lonely walker before it has taken over from the dead one tries nothing.
    How many steps there are then."""
    deadline = time.monotonic() + _PATIENCE_S
    while (found := _number(store, "SELECT count(*) FROM workflow_step")) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _until_settled(store: Store) -> None:
    """Until what the dead owe is settled, which takes two looks at their locks."""
    deadline = time.monotonic() + _PATIENCE_S
    while _number(store, _HELD) and time.monotonic() < deadline:
        time.sleep(0.5)


def _number(store: Store, query: str) -> int:
    from sqlalchemy import text

    with store.reading() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _until_over(runs: Runs) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if all(run.status in ("done", "failed", "cancelled") for run in runs.all()):
            return
        time.sleep(0.5)


def _counted(store: Store, beginning: Beginning, booked: Path) -> dict[str, Any]:
    from sqlalchemy import text

    runs, known = beginning.runs, {run.id: run for run in beginning.runs.all()}
    ended = Counter(run.status for run in known.values())
    right = [run.id for run in known.values() if run.status == "done" and _gave(runs, run.id) == "booked last"]
    with closing(sqlite3.connect(booked)) as books:
        calls = [key for (key,) in books.execute("SELECT key FROM call")]
        effects = Counter(books.execute("SELECT run, step FROM effect").fetchall())
    with store.reading() as connection:
        paid = connection.execute(text("SELECT action, count(*) FROM workflow_step WHERE action <> '' GROUP BY action"))
        twice = sum(count > 1 for _, count in paid)
    wanted = len(right) * (_LINES + 2)
    return {
        "begun": len(beginning.begun),
        "completed": ended["done"],
        "ended": dict(ended),
        "lost": len(beginning.begun) - len(right),
        "acknowledged_lost": sum(run not in known for run in beginning.begun),
        "effects": len(effects),
        "effects_missing": wanted - sum(1 for run, _ in effects if run in set(right)),
        "external_double_effects": sum(count > 1 for count in effects.values()),
        "repeated_calls": len(calls) - len(set(calls)),
        "paid_twice": twice,
        "held_left": _number(store, _HELD),
    }


def _gave(runs: Runs, run: str) -> Any:
    return runs.result(runs.open(run))["value"]


@contextmanager
def _stored(storage: str, folder: Path) -> Iterator[str]:
    if storage == "sqlite":
        yield ""
        return
    with postgres() as running:
        where = running.make_database()
        migrate(where)
        yield where


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--workers", type=int, default=3)
    options.add_argument("--at-once", type=int, default=12, help="runs that are under way at any time (default 12)")
    given = options.parse_args()
    result = measure(given.kills, given.workers, given.at_once, given.seed, given.storage, given.keep)
    zero = (
        "died",
        "lost",
        "acknowledged_lost",
        "effects_missing",
        "external_double_effects",
        "paid_twice",
        "held_left",
    )
    return told(result, any(result[name] for name in zero))


if __name__ == "__main__":
    sys.exit(main())
