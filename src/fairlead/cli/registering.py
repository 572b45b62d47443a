"""`fairlead names`: the registers of names in `rules/`, and bringing them in from systems."""

import asyncio
import json as jsons
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from fairlead.cli.ask import Key
from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.cli.tooling import called
from fairlead.errors import BadInput, NotFound, closest
from fairlead.policy.name_lists import table_of
from fairlead.policy.settings import NamesSetting, RulesFile
from fairlead.workspace.findings import Findings
from fairlead.workspace.load import read_folder
from fairlead.workspace.problems import InvalidWorkspace

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Registers of names: list, and bring in from systems.",
)


@app.command("list")
def list_(workspace: Workspace = None, json: Json = False) -> None:
    """The registers of the folder: what they are called, how many lines they have, and where these come from."""
    place = find(workspace)
    rows = [
        {
            "name": each.name,
            "category": each.category,
            "file": f"rules/{each.file}",
            "lines": len(_there(place, each).splitlines()),
            "from": each.source,
        }
        for each in _declared(place)
    ]
    if json:
        json_data(rows)
    else:
        table(["name", "category", "file", "lines", "from"], [[str(one) for one in each.values()] for each in rows])


@app.command()
def sync(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REGISTER]…", show_default=False, help="Default: all that come from a system."),
    ] = None,
    key: Key = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Write the registers anew that come `from` a system: by calls of its tools as the person whose key is shown.

    Only the columns that make up a name are kept, and names that are gone from the system are gone. What was written
    counts from the next `fairlead apply` on.
    """
    place = find(workspace, data_folder)
    told = [_synced(place, each, key, dry_run) for each in _chosen(place, names or [])]
    if json:
        json_data(told)
        return
    for each in told:
        data(f"{each['name']}: {each['names']} names, {each['new']} new, {each['gone']} gone")
    if any(each["new"] or each["gone"] for each in told):
        say("nothing was written" if dry_run else "publish them: fairlead apply")


def _synced(place: Place, register: NamesSetting, key: str, dry_run: bool) -> dict[str, Any]:
    arguments = jsons.dumps(register.arguments) if register.arguments else ""
    answer = asyncio.run(called(place, register.source, [], arguments, key))
    given = answer.result.structured
    if answer.result.failed or not isinstance(given, dict) or given.get("truncated"):
        cut = isinstance(given, dict) and given.get("truncated")
        raise BadInput(
            f"names {register.name!r}: {register.source} did not give all of them",
            why="it gives so many rows at most" if cut else answer.result.text[:200],
            mend="raise its `most_rows`: a part of a register protects a part of the people"
            if cut
            else "mend the tool",
        )
    content, count = table_of(register, given.get("rows"))
    before = _there(place, register)
    old, new = set(before.splitlines()[1:]), set(content.splitlines()[1:])
    if content != before and not dry_run:
        path = place.workspace / "rules" / register.file
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(content)
        os.replace(beside, path)
    return {"name": register.name, "names": count, "new": len(new - old), "gone": len(old - new), "run": answer.run}


def _chosen(place: Place, wanted: list[str]) -> Iterator[NamesSetting]:
    known = {each.name: each for each in _declared(place) if each.source}
    for name in wanted or known:
        if name not in known:
            raise NotFound(
                f"there is no register {name!r} that comes from a system",
                mend=closest(name, known) or "say `from: SYSTEM.TOOL` under `names:` in rules/*.yaml",
            )
        if not known[name].file.endswith(".csv"):
            raise BadInput(f"names {name!r}: what comes from a system is a table", mend="let its file end in .csv")
        yield known[name]
    if not known:
        raise NotFound("no register comes from a system", mend="say `from: SYSTEM.TOOL` under `names:` in rules/*.yaml")


def _declared(place: Place) -> list[NamesSetting]:
    """The registers of the folder: they need not be filled yet."""
    findings = Findings(read_folder(place.workspace))
    files = findings.below("rules", RulesFile)
    if findings.problems:
        raise InvalidWorkspace(findings.problems)
    return [each for file in files.values() if file is not None for each in file.names]


def _there(place: Place, register: NamesSetting) -> bytes:
    path = place.workspace / "rules" / register.file
    return path.read_bytes() if path.is_file() else b""


def commands() -> dict[str, Any]:
    return {"names": typer.main.get_command(app)}
