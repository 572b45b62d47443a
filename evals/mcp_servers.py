"""The reference servers of the Model Context Protocol, through the connector: what they offer, and a call or two.

    python -m evals.mcp_servers

`tools/interop.sh systems` installs them, each in an environment of its own; `make interop` does both.

    servers        reference servers that were started
    tools          tools that they offer, and that can be pinned
    calls, wrong   calls that were made, and those whose result was another than it had to be                      (0)
    steady         servers whose definitions are the same after they were started again
"""

import argparse
import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals.stage import told
from fairlead.clock import SystemClock
from fairlead.errors import FairleadError
from fairlead.net.http import Http
from fairlead.tools.cards import NO_CARD
from fairlead.tools.mcp import McpSystem
from fairlead.tools.pins import compare
from fairlead.tools.settings import McpSettings
from fairlead.tools.systems import compile_system, in_place
from fairlead.tools.types import Credential, Definition, SystemCall, ToolResult

CLOCK = SystemClock()
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Try:
    """A call, and a text that must stand in its result; "" for any that did not fail."""

    tool: str
    arguments: Mapping[str, Any]
    expected: str = ""
    fails: bool = False


@dataclass(frozen=True)
class Reference:
    """One of the servers."""

    command: tuple[str, ...]
    tries: tuple[Try, ...]


def references(cache: Path, place: Path) -> dict[str, Reference]:
    """All of them, set up to work on `place`."""
    node = cache / "systems" / "node_modules" / ".bin"
    (place / "a.txt").write_text("Grüße")
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    entity = {"entities": [{"name": "Kim", "entityType": "person", "observations": ["likes tea"]}]}
    return {
        "filesystem": Reference(
            (str(node / "mcp-server-filesystem"), str(place)),
            (
                Try("read_text_file", {"path": str(place / "a.txt")}, "Grüße"),
                Try("read_text_file", {"path": "/etc/passwd"}, "outside allowed directories", fails=True),
                Try("write_file", {"path": str(place / "b.txt"), "content": "x"}),
                Try("list_directory", {"path": str(place)}, "b.txt"),
            ),
        ),
        "everything": Reference(
            (str(node / "mcp-server-everything"),),
            (
                Try("echo", {"message": "hello"}, "hello"),
                Try("get-sum", {"a": 2, "b": 3}, "5"),
                Try("get-tiny-image", {}),
            ),
        ),
        "memory": Reference(
            (str(node / "mcp-server-memory"),),
            (Try("create_entities", entity, "Kim"), Try("search_nodes", {"query": "tea"}, "Kim")),
        ),
        "git": Reference(
            (str(cache / "mcp-server-git/bin/mcp-server-git"), "--repository", str(place)),
            (
                Try("git_status", {"repo_path": str(place)}, "a.txt"),
                Try("git_status", {"repo_path": "/"}, fails=True),
            ),
        ),
        "time": Reference(
            (str(cache / "mcp-server-time/bin/mcp-server-time"), "--local-timezone", "Europe/Berlin"),
            (
                Try(
                    "convert_time",
                    {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"},
                    "21:00",
                ),
                Try("get_current_time", {"timezone": "Nowhere/Land"}, fails=True),
            ),
        ),
    }


def opened(name: str, reference: Reference, place: Path) -> McpSystem:
    """The server's driver. It keeps what it writes below `place`."""
    env = {"MEMORY_FILE_PATH": str(place / "memory.jsonl")}
    declared = McpSettings(command=list(reference.command), env=env, timeout=TIMEOUT_S)
    system = compile_system(name, declared, NO_CARD, [], {})
    ours = {"env:PATH": os.environ["PATH"], "env:HOME": str(place)}
    return McpSystem(in_place(system, ours.get), Http(CLOCK), CLOCK)


async def called(driver: McpSystem, tool: Definition, one: Try) -> ToolResult:
    deadline = CLOCK.monotonic() + TIMEOUT_S
    call = SystemCall(
        tool=tool,
        arguments=one.arguments,
        credential=Credential(),
        person="kim",
        deadline=deadline,
        idempotency_key="e",
    )
    return await driver.call(call)


async def measure(name: str, reference: Reference, place: Path, told_of: dict[str, int]) -> None:
    """Start a server, take its tools, try them, and look whether another start offers the same."""
    driver = opened(name, reference, place)
    try:
        tools = {each.name: each for each in await driver.definitions(Credential(), CLOCK.monotonic() + TIMEOUT_S)}
        for one in reference.tries:
            result = await called(driver, tools[one.tool], one)
            wrong = result.failed != one.fails or one.expected not in result.text
            told_of["calls"] += 1
            told_of["wrong"] += wrong
            if wrong:
                print(f"{name}.{one.tool}: {result}")
    finally:
        await driver.close()
    again = opened(name, reference, place)
    try:
        offered = await again.definitions(Credential(), CLOCK.monotonic() + TIMEOUT_S)
    finally:
        await again.close()
    told_of["servers"] += 1
    told_of["tools"] += len(tools)
    told_of["steady"] += all(each.in_force for each in compare(tools.values(), offered))


async def all_of(cache: Path) -> dict[str, int]:
    found = dict.fromkeys(("servers", "tools", "calls", "wrong", "steady"), 0)
    with TemporaryDirectory() as folder:
        for name, reference in references(cache, Path(folder)).items():
            try:
                await measure(name, reference, Path(folder), found)
            except FairleadError as error:
                found["wrong"] += 1
                print(f"{name}: {error.message}: {error.why}")
    return found


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    cache = Path(os.environ.get("FAIRLEAD_INTEROP", "~/.cache/fairlead-interop")).expanduser()
    found = asyncio.run(all_of(cache))
    return told(found, bad=bool(found["wrong"]))


if __name__ == "__main__":
    raise SystemExit(main())
