"""`fairlead tools`: what can be called in the workspace's systems, calling it, and accepting what systems offer."""

import asyncio
import json as jsons
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.acting import acting
from fairlead.cli.ask import Key
from fairlead.cli.compiled import in_folder, published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.systems_asked import Offer, offers
from fairlead.cli.tools_unused import unused
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, NotFound, closest
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.tools.pins import Finding, findings, readable
from fairlead.tools.settings import McpSettings
from fairlead.tools.systems import Pins, System
from fairlead.tools.types import Tool
from fairlead.workspace.systems import pins_path

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Tools of systems: list, call, compare, accept.",
)
Person = Annotated[
    str,
    typer.Option("--person", help="Whom systems are asked for, by what they have connected. Default: who runs this."),
]
OneSystem = Annotated[str, typer.Option("--system", help="Only this system's.")]


@app.callback()
def _group() -> None:
    """Tools of systems: list, call, compare, accept."""


@app.command("list")
def list_(
    system: OneSystem = "",
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Ask the systems whether they answer.")] = True,
    person: Person = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """The tools that are in force, and whether their systems answer."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        systems = _chosen(published(place, store).systems, system)
    asked = offers(place, systems, person or user()) if ask else {}
    rows = [_row(tool, asked) for each in systems.values() for tool in each.tools.values()]
    if json:
        json_data(rows)
    else:
        columns = ["tool", "effect", "system", "definition", "state"]
        table(columns, [[row["digest"][:12] if c == "definition" else row[c] for c in columns] for row in rows])
    for name, offer in asked.items():
        if offer.failure:
            say(f"{name} does not answer: {offer.failure}")


def _row(tool: Tool, asked: dict[str, Offer]) -> dict[str, str]:
    offer = asked.get(tool.system)
    state = "not asked" if offer is None else "does not answer" if offer.failure else "answers"
    about = {"tool": tool.name, "effect": tool.definition.effect, "system": tool.system, "digest": tool.digest}
    return {**about, "state": state, "about": tool.definition.description}


@app.command()
def call(
    name: Annotated[str, typer.Argument(metavar="SYSTEM.TOOL", help="The tool.")],
    arg: Annotated[list[str] | None, typer.Option("--arg", metavar="NAME=VALUE", help="One argument.")] = None,
    json_args: Annotated[
        str, typer.Option("--json-args", metavar="JSON", help="All arguments as an object; `-` reads it.")
    ] = "",
    key: Key = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Call a tool as the person whose key is shown: under their rights, billed and recorded like every call.

    The result goes to standard output, its cost and run to the error stream. Status 1: the tool says that it failed.
    """
    place = find(workspace, data_folder)
    answer = asyncio.run(called(place, name, arg or [], json_args, key))
    result = answer.result
    if json:
        json_data(
            {
                "run": answer.run,
                "tool": answer.tool,
                "failed": result.failed,
                "result": msgspec.to_builtins(result),
                "cost": {"amount": answer.unit.exact(answer.cost), "currency": answer.unit.name},
                "approvals": answer.approvals,
            }
        )
    else:
        data(result.text or jsons.dumps(result.structured, ensure_ascii=False))
        for policy, text in answer.warned:
            say(f"warning: {policy}: {text}")
        if answer.approvals:
            say(f"approved: {', '.join(answer.approvals)}")
        cost = f"{answer.unit.exact(answer.cost)} {answer.unit.name}"
        say(f"cost: {cost}  run: {answer.run}  (fairlead trace {answer.run})")
    if result.failed:
        raise typer.Exit(1)


async def called(place: Place, name: str, given: list[str], json_args: str, key: str) -> ToolAnswer:
    """The call of a tool as whose key it is, governed, billed and recorded like every call."""
    from fairlead.execution.tool_call import call_tool

    async with acting(place, key) as (fairlead, caller):
        _, tool = fairlead.current().systems.tool(name)
        arguments = _arguments(tool, given, json_args)
        sources = dict.fromkeys(arguments, frozenset({"user"}))
        request = ToolRequest(name=name, arguments=arguments, sources=sources)
        return await call_tool(fairlead, caller, request, Arrival(door="cli"))


def _arguments(tool: Tool, given: list[str], json_args: str) -> dict[str, Any]:
    if json_args:
        if given:
            raise BadInput("both --arg and --json-args were given", mend="give one of them")
        try:
            text = sys.stdin.read() if json_args == "-" else json_args
            return msgspec.json.decode(text, type=dict[str, Any])
        except (ValueError, RecursionError) as error:
            raise BadInput(f"--json-args: {error}", mend='--json-args \'{"name": "value"}\'') from None
    properties = tool.definition.input.get("properties", {})
    found = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or name in found:
            raise BadInput(f"--arg {each!r}", why="it is NAME=VALUE, each name once", mend="--arg order=A-17")
        found[name] = _value(text, properties.get(name, {}))
    return found


def _value(text: str, schema: Any) -> Any:
    """What stands for a text is taken as it is, all else as JSON, as far as it is any."""
    if isinstance(schema, dict) and schema.get("type") == "string":
        return text
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text


app.command()(unused)


@app.command()
def pins(
    system: OneSystem = "",
    person: Person = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What systems offer now against what was accepted. Status 1: something differs, and is not called."""
    place = find(workspace, data_folder)
    systems = {
        name: each
        for name, each in _chosen(in_folder(place).systems, system).items()
        if isinstance(each.settings, McpSettings)
    }
    found = {name: _compared(each, offer) for name, each, offer in _offered(place, systems, person)}
    if json:
        json_data(found)
    for name, compared in found.items() if not json else ():
        data(f"{name}:")
        for each in compared:
            for line in readable(each):
                data(f"  {line}")
    if not found:
        say("no system here has to be accepted: the workspace's own text defines their tools")
    if any(not each.in_force for compared in found.values() for each in compared):
        raise typer.Exit(1)


@app.command()
def accept(
    system: Annotated[str, typer.Argument(help="The system.")],
    tools: Annotated[list[str] | None, typer.Argument(help="Only these tools of it. Default: all that differ.")] = None,
    person: Person = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Accept what a system offers now: write it into the workspace, to be reviewed and published with it."""
    place = find(workspace, data_folder)
    chosen = _chosen(in_folder(place).systems, system)[system]
    if not isinstance(chosen.settings, McpSettings):
        raise BadInput(
            f"{system} needs no acceptance",
            why="its tools are defined by the workspace's own text",
            mend="change that text, and publish",
        )
    ((_, _, offer),) = _offered(place, {system: chosen}, person)
    differing = [each for each in _compared(chosen, offer) if not each.in_force]
    names = set(tools or [each.name for each in differing])
    if unknown := sorted(names - {each.name for each in differing}):
        raise NotFound(
            f"{unknown[0]!r} is no tool of {system} that differs", mend=f"fairlead tools pins --system {system}"
        )
    for each in differing:
        if each.name in names:
            for line in readable(each):
                data(line)
    if not names:
        say(f"{system} offers what was accepted")
        return
    path = place.workspace / pins_path(system)
    if dry_run:
        say(f"would write {path.name}")
        return
    confirm(f"Accept {len(names)} tools of {system}?", yes)
    _write(path, offer, names)
    say(f"wrote {path.name}: review it, then fairlead apply")


def _write(path: Path, offer: Offer, names: set[str]) -> None:
    """What was accepted before stays, but for the tools that are named. In one step: half a file would be none."""
    before = msgspec.json.decode(path.read_bytes(), type=Pins).tools if path.exists() else ()
    kept = {each.name: each for each in before if each.name not in names}
    kept |= {each.name: each for each in offer.definitions if each.name in names}
    text = msgspec.json.encode(Pins(tools=tuple(kept[name] for name in sorted(kept))), order="sorted")
    path.parent.mkdir(exist_ok=True)
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(msgspec.json.format(text, indent=2) + b"\n")
    aside.replace(path)


def _offered(place: Place, systems: dict[str, System], person: str) -> list[tuple[str, System, Offer]]:
    asked = offers(place, systems, person or user())
    for name, offer in asked.items():
        if offer.failure:
            raise BadInput(f"{name} does not answer", why=offer.failure, mend="see that it runs, then ask again")
    return [(name, system, asked[name]) for name, system in systems.items()]


def _compared(system: System, offer: Offer) -> tuple[Finding, ...]:
    return tuple(findings(system, offer.definitions).values())


def _chosen(systems: Any, name: str) -> dict[str, System]:
    if name and name not in systems:
        raise NotFound(f"there is no system {name!r}", mend=closest(name, systems) or "declare it under `systems:`")
    return {name: systems[name]} if name else dict(systems)


def commands() -> dict[str, Any]:
    return {"tools": typer.main.get_command(app)}
