"""CPU of one governed tool call over its driver's own, and of listing tools: 200 tools, 100 policies, commits on disk.

    python bench/tool_path.py [--calls 1500] [--profile]

The tools are `async` functions that answer at once. CPU time of the whole process, the journal's thread included, with
16 calls at once; `alone` is the same driver called without Fairlead. Compare runs on one machine only.
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.execution.tool_asking import ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.identity.types import Caller
from fairlead.storage.fleet import Fleet
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.tools.types import Credential, SystemCall
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.surroundings import Surroundings

AT_ONCE = 16
SYSTEMS, TOOLS = 4, 50
TOOL = '''
async def tool_{n}(account: str, payee: str, amount: float, note: str = "") -> dict[str, str]:
    """Do what number {n} does."""
    return {{"account": account, "payee": payee, "state": "open", "note": note}}
'''
RULES = 96  # and two permits for all, results and models


def deployed(folder: Path) -> Path:
    """A published workspace. Returns its database."""
    (folder / "systems").mkdir()
    (folder / "policies").mkdir()
    code = "".join(TOOL.format(n=n) for n in range(TOOLS))
    names = [f"s{n}" for n in range(SYSTEMS)]
    for name in names:
        (folder / "systems" / f"{name}.py").write_text(f'READS = {{"tool_0"}}\n{code}')
    rules = [
        f'@id("r{n}") forbid(principal, action == Action::"s{n % SYSTEMS}.tool_{n % TOOLS}", resource)\n'
        f'when {{ context.arguments.amount.greaterThan(decimal("{1000 + n}.0")) || context.tainted'
        f' && context.untrusted.contains("payee") }};'
        for n in range(RULES // 2)
    ] + [
        f'@id("g{n}") permit(principal in Group::"group-{n}", action in Action::"call_tool", '
        f'resource in System::"s{n % SYSTEMS}");'
        for n in range(RULES // 2)
    ]
    (folder / "policies" / "main.cedar").write_text(
        "\n".join(
            [
                *rules,
                '@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource);',
                '@id("results") permit(principal, action == Action::"release_result", resource);',
                '@id("calls") permit(principal, action == Action::"call_model", resource);',
                '@id("release") permit(principal, action == Action::"release_reply", resource);',
            ]
        )
    )
    systems = {name: {"use": "python", "file": f"{name}.py", "price": 0.001} for name in names}
    whole = {"organisation": "bench", "models": {"local": {"use": "local/extractive"}}, "systems": systems}
    (folder / "fairlead.yaml").write_text(json.dumps(whole))
    database = folder / "state.db"
    migrate(database)
    return database


def caller(n: int) -> Caller:
    groups = frozenset({"staff", f"group-{n % (RULES // 2)}"})
    return Caller(person=f"person-{n}", department=f"d{n}", groups=groups, credential=f"key:{n}")


async def cpu(work: Callable[[int], Awaitable[object]], count: int) -> float:
    """Microseconds of CPU for one, with `AT_ONCE` under way."""

    async def some(first: int) -> None:
        for n in range(first, count, AT_ONCE):
            await work(n)

    started = time.process_time()
    await asyncio.gather(*(some(first) for first in range(AT_ONCE)))
    return (time.process_time() - started) / count * 1e6


async def measure(running: Running, count: int, profiled: bool) -> None:
    fairlead = running.fairlead
    deployment = fairlead.deployment
    people = [caller(n) for n in range(200)]
    names = sorted(deployment.systems.tools)

    def arguments(n: int) -> dict[str, object]:
        return {"account": f"A{n}", "payee": "B2", "amount": 12.5, "note": "for the delivery of last week"}

    judged = [f"s{n % SYSTEMS}.tool_{n % TOOLS}" for n in range(RULES // 2)]

    async def governed(n: int, tools: list[str] = names, flow: str | None = None) -> None:
        sources = dict.fromkeys(arguments(n), frozenset({"user"}))
        request = ToolRequest(name=tools[n % len(tools)], arguments=arguments(n), sources=sources, flow=flow)
        await call_tool(fairlead, people[n % 200], request, Arrival(door="bench"))

    async def alone(n: int) -> None:
        tool = deployment.systems.tools[names[n % len(names)]]
        late = time.monotonic() + 30
        call = SystemCall(
            tool=tool.definition,
            arguments=arguments(n),
            credential=Credential(),
            person="p",
            deadline=late,
            idempotency_key="k",
        )
        await deployment.systems.drivers[tool.system].call(call)

    first = await cpu(governed, 200)
    await cpu(alone, 200)
    without = min([await cpu(alone, count) for _ in range(3)])
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    whole = min([await cpu(governed, count) for _ in range(3)])
    profile.disable()
    free = [each for each in names if each not in judged]
    kept = min([await cpu(lambda n: governed(n, free, f"flow-{n % 50}"), count) for _ in range(3)])
    dearest = min([await cpu(lambda n: governed(n, judged), count) for _ in range(3)])
    if profiled:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    print(f"driver alone            {without:9.1f} µs")
    print(f"governed                {whole:9.1f} µs ({first:.0f} with each tool's first call)")
    print(f"added by Fairlead       {whole - without:9.1f} µs")
    print(f"  where it is kept what is read, as at the door: {kept - without:9.1f} µs")
    print(f"  where a policy reads the call's arguments: {dearest - without:9.1f} µs")
    listing(running, people)


def listing(running: Running, people: list[Caller]) -> None:
    deployment = running.fairlead.deployment
    tools, rights = list(deployment.systems.tools.values()), deployment.policy.tools
    taken = []
    for person in (*people[:20], people[0], people[0]):
        started = time.thread_time()
        found = rights.visible(person, tools)
        taken.append((time.thread_time() - started) * 1e3)
    print(f"list {len(found)} of {len(tools)} tools, first caller of a revision {taken[0]:9.2f} ms")
    print(f"list, a new caller      {sum(taken[1:20]) / 19:9.2f} ms (the worst {max(taken[1:20]):.2f})")
    print(f"list, a known caller    {taken[-1]:9.2f} ms")


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=1500)
    options.add_argument("--profile", action="store_true", help="print where the time goes")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        store = Store.open(deployed(folder))
        clock = SystemClock()
        publish(store, Fleet(store, clock), read_folder(folder), lambda _: None, by="bench", clock=clock)
        around = Surroundings(store=store, master_key=bytes(32), secrets=lambda _: None, clock=clock)
        running = await assemble(around)
        try:
            await measure(running, given.calls, given.profile)
        finally:
            await running.stop()
            store.close()


if __name__ == "__main__":
    uvloop.run(main())
