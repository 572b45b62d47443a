"""Steps a second and CPU a step of durable runs: Fairlead, plain DBOS and LangGraph by turns, one after the other.

    bench/peers.sh                                      # once: LangGraph, in an environment of its own
    python bench/workflows.py [--storage postgres] [--work model] [--rounds 5] [--runs 40] [--steps 25]

A run is `--steps` steps in a row, and each step is durable before the next begins: with `synchronous=FULL` in files in
write-ahead mode, with `fsync` on a server. The work of a step is a function that adds one, or a question to a model
that answers at once (`bench/upstream.py`, not counted): governed, recorded and billed by Fairlead, sent by hand by the
others. CPU is user and system time of the contestant's process, and of the database server's processes. Each round
starts every contestant anew, in an order that is turned round each time; ratios are the median of the rounds' ratios.
Prints a table and one JSON line for each of one and eight runs at once.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.ports import free_port
from tests.postgres import Server, server

ROOT = Path(__file__).parents[1]
_HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead-bench"
_TICKS = os.sysconf("SC_CLK_TCK")


def interpreter(name: str, cache: Path) -> Path:
    """The Python that has a contestant's packages."""
    return cache / "langgraph" / "bin" / "python" if name == "langgraph" else Path(sys.executable)


def measured(
    name: str, given: argparse.Namespace, at_once: int, database: Server | None, upstream: int
) -> dict[str, float]:
    """One contestant, once: CPU milliseconds a step, of its own process and of the server, and steps a second."""
    with TemporaryDirectory(prefix="fairlead-steps-", dir=given.folder) as folder:
        url = database.make_database() if database else ""
        runs = max(4, given.runs // 4) if at_once == 1 else given.runs
        job = {"folder": folder, "storage": url, "runs": runs, "steps": given.steps, "at_once": at_once}
        program = _HERE / "steps" / f"{name}_steps.py"
        command = [interpreter(name, given.cache), program, json.dumps({**job, "upstream": upstream})]
        process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=ROOT)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            if said != "ready\n":
                raise SystemExit(f"{name} did not get ready: {said}")
            before = _server_cpu(database)
            process.stdin.write("go\n")
            process.stdin.flush()
            came_to = json.loads(process.stdout.readline())
            served = _server_cpu(database) - before
        finally:
            process.stdin.close()
            process.wait(60)
        if database:
            database.drop_database(url)
    steps = runs * given.steps
    own, served = came_to["cpu"] * 1e3 / steps, served * 1e3 / steps
    return {"own": own, "server": served, "cpu": own + served, "rate": steps / came_to["wall"]}


def _server_cpu(database: Server | None) -> float:
    """Seconds of all processes of the server, those that have ended included."""
    if database is None:
        return 0.0
    root = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    return sum(map(_cpu_of, [root, *map(int, children)]))


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0  # then it counts with its parent's children
    return sum(map(int, fields[11:15])) / _TICKS


@contextmanager
def upstream(wanted: bool) -> Iterator[int]:
    """A model that answers at once. Gives its port, 0 where none is wanted."""
    if not wanted:
        yield 0
        return
    port = free_port()
    process = subprocess.Popen([sys.executable, _HERE / "upstream.py", str(port)], stdout=-1, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def compared(given: argparse.Namespace, at_once: int, database: Server | None, port: int) -> dict[str, Any]:
    """All rounds at so many runs at once."""
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(given.rounds):
        order = given.contestants if number % 2 == 0 else given.contestants[::-1]
        rounds.append({name: measured(name, given, at_once, database, port) for name in order})
        said = ", ".join(f"{name} {rounds[-1][name]['cpu']:.2f} ms" for name in given.contestants)
        print(f"# {at_once} at once, round {number + 1}: {said}", file=sys.stderr, flush=True)
    found: dict[str, Any] = {"storage": given.storage, "work": given.work, "at_once": at_once, "rounds": len(rounds)}
    for name in given.contestants:
        figures = {key: statistics.median(each[name][key] for each in rounds) for key in rounds[0][name]}
        found[name] = {key: round(value, 3) for key, value in figures.items()}
        if name != "fairlead":
            ratios = {key: [each["fairlead"][key] / each[name][key] for each in rounds] for key in ("cpu", "rate")}
            found[f"to_{name}"] = {key: _spread(all_) for key, all_ in ratios.items()}
    return found


def _spread(ratios: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(ratios), 2), "min": round(min(ratios), 2), "max": round(max(ratios), 2)}


def shown(found: dict[str, Any], contestants: list[str]) -> None:
    print(f"\n{found['storage']}, {found['work']}, {found['at_once']} at once ({found['rounds']} rounds)")
    heads = f"{'CPU ms/step':>12}{'of it server':>14}{'steps/s':>10}{'CPU ratio (min-max)':>28}{'rate ratio':>14}"
    print(f"{'':<12}{heads}")
    for name in contestants:
        row = found[name]
        line = f"{name:<12}{row['cpu']:>12.2f}{row['server']:>14.2f}{row['rate']:>10.0f}"
        if (ratio := found.get(f"to_{name}")) is not None:
            cpu = f"{ratio['cpu']['median']:.2f} ({ratio['cpu']['min']:.2f}-{ratio['cpu']['max']:.2f})"
            line += f"{cpu:>28}{ratio['rate']['median']:>14.2f}"
        print(line)
    print(json.dumps(found), flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--storage", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--work", choices=["function", "model"], default="function")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--runs", type=int, default=40, help="at eight at once; a quarter of them at one")
    options.add_argument("--steps", type=int, default=25)
    options.add_argument("--at-once", type=int, nargs="*", default=[1, 8])
    options.add_argument("--contestants", nargs="*", default=["fairlead", "dbos", "langgraph"])
    options.add_argument("--cache", type=Path, default=_CACHE, help="where bench/peers.sh put LangGraph")
    options.add_argument("--folder", type=Path, help="for the files: on the disk that is to be measured")
    given = options.parse_args()
    with ExitStack() as stack:
        database = stack.enter_context(server(fsync=True)) if given.storage == "postgres" else None
        port = stack.enter_context(upstream(given.work == "model"))
        for at_once in given.at_once:
            shown(compared(given, at_once, database, port), given.contestants)


if __name__ == "__main__":
    main()
