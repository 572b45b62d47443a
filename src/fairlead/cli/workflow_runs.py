"""`fairlead workflow run` and what belongs to runs: over the doors that programs use too."""

import json as jsons
import sys
import time
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from fairlead.cli.ask import Key
from fairlead.cli.asking import got
from fairlead.cli.brought import pairs, with_files
from fairlead.cli.compiled import published
from fairlead.cli.each_file import files_of, run_each
from fairlead.cli.later import PLAIN, commands_of
from fairlead.cli.opening import open_store
from fairlead.cli.output import DryRun, Json, briefly, data, json_data, say
from fairlead.cli.place import Data, Url, Workspace, find, server_url
from fairlead.cli.resting import OVER, rests
from fairlead.cli.signing_in import key_or_login
from fairlead.cli.walking import walk_until_told
from fairlead.cli.when import shown
from fairlead.cli.workflow_ordered import RUNS, Run, json_of
from fairlead.cli.workflow_waited import begun
from fairlead.costs.money import exact_money
from fairlead.errors import BadInput, NotFound
from fairlead.telemetry.logging import start_logging

_GLANCE: Final = 0.3  # seconds between two looks at a run


Files = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="KEY=PATH", help="A document as KEY of the input: {name, base64, sha256}."),
]
Each = Annotated[
    str,
    typer.Option("--each", metavar="KEY=FILES", help="A run for each of these files, as in 'document=inbox/*.pdf'."),
]
Texts = Annotated[list[str] | None, typer.Option("--text", metavar="KEY=PATH", help="A file's text as KEY.")]

app = typer.Typer(**PLAIN)


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The workflow.")],
    given: Annotated[str, typer.Option("--input", help="Its input as JSON; `@FILE` reads a file.")] = "{}",
    file: Files = None,
    text: Texts = None,
    each: Each = "",
    once: Annotated[str, typer.Option("--once", help="A name for this start: the same one never begins two.")] = "",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Begin it, and do not wait.")] = False,
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Begin a run, and wait until it is over or asks somebody. One with `secrecy: memory` is always waited for."""
    value = with_files(_input(given), pairs("--file", file or ()), pairs("--text", text or ()), Path())
    body = {"input": value, "once": once or token_hex(16), "stream": True}
    if dry_run:
        if each:
            data("\n".join(str(path) for path in files_of(each)[1]))
        say(f"would begin {name} with {jsons.dumps(body['input'])[:2000]}; `fairlead workflow dry-run {name}` walks it")
        return
    address = url or server_url(workspace)
    key = key_or_login(key, address)
    if each:
        if not run_each(name, value, each, address, key, json):
            raise typer.Exit(1)
        return
    found = begun(address, f"/v1/workflows/{quote(name, safe='')}/runs", body, key)
    if not found.get("new", True):
        say(f"begun before, as {found['id']}")
    if no_wait:
        json_data(found) if json else data(found["id"])
        return
    if found["status"] not in OVER:
        found = _followed(address, found["id"], key)
    json_data(found) if json else _show(found)
    if found["status"] in ("failed", "cancelled", "lost"):
        raise typer.Exit(1)


def _input(text: str) -> dict[str, Any]:
    """What `--input` says. Raises `BadInput` for what is no object, since files are put beside its keys."""
    given = json_of(text, "--input")
    if not isinstance(given, dict):
        why = "the input of a run is an object: a key for each thing that it takes"
        raise BadInput("--input is no JSON object", why=why, mend='--input \'{"name": "value"}\', or --input @FILE')
    return given


@app.command()
def status(
    id_: Run,
    take: Annotated[str, typer.Option("--take", metavar="KEY", help="Print only this part of what it gave.")] = "",
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What a run has done so far, what it waits for, and what came of it."""
    found = _got(f"{RUNS}/{quote(id_, safe='')}", key, url, workspace)
    if take:
        part = _part(found, take)
        data(part if isinstance(part, str) and not json else jsons.dumps(part, ensure_ascii=False, indent=2))
        return
    if json:
        json_data(found)
        return
    _show(found)
    say(f"step by step: fairlead workflow graph --run {found['id']} --format text")


@app.command()
def work(
    at_once: Annotated[
        int, typer.Option("--at-once", min=0, help="How many runs at the same time.", show_default="workflows.at_once")
    ] = 0,
    workspace: Workspace = None,
    data_folder: Data = None,
) -> None:
    """Walk runs in a process of its own, until stopped: beside the one that `fairlead serve` starts, on any host."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        settings = published(place, store).settings
    synchronous = settings.storage.journal.synchronous
    start_logging(sys.stderr, style="console" if sys.stderr.isatty() else "json")
    raise typer.Exit(walk_until_told(place, synchronous, at_once or settings.workflows.at_once))


def graph_of(id_: str, format: str, key: str, url: str, workspace: Path | None) -> dict[str, Any]:
    """A run as a picture, as the door draws it for whoever may see it."""
    return _got(f"{RUNS}/{quote(id_, safe='')}/graph?format={format}", key, url, workspace)


def _got(path: str, key: str, url: str, workspace: Path | None) -> dict[str, Any]:
    address = url or server_url(workspace)
    return got(address, path, key_or_login(key, address))


def _followed(address: str, id_: str, key: str) -> dict[str, Any]:
    """The run, once it is over or waits; each step is told as it ends."""
    told: set[str] = set()
    while True:
        found = got(address, f"{RUNS}/{id_}", key)
        for step in found["steps"]:
            if step["at"] not in told:
                told.add(step["at"])
                say(f"  {step['at']}: {step['status']}")
        if rests(found):
            return found
        time.sleep(_GLANCE)


def _show(found: dict[str, Any]) -> None:
    by = f" by {found['person']}" if "person" in found else ""
    data(f"{found['id']}  {found['workflow']}  {found['status']}, begun {shown(found['begun_at'])} UTC{by}")
    for step in found["steps"]:
        said = step["error"]["message"] if "error" in step else jsons.dumps(step.get("value"), ensure_ascii=False)
        went_on = (
            ", and the run went on" if step["status"] == "failed" and found["status"] in ("done", "waiting") else ""
        )
        run = f"  ({step['run']})" if step["run"] else ""
        data(f"  {step['at']}: {step['status']}{went_on}  {said[:200]}{run}")
    for wait in found.get("waits", ()):
        until = f", until {shown(wait['until'])} UTC" if wait["until"] else ""
        data(f"waits at {wait['at']} for {_what(wait)}{until}" + (f": {wait['ask']}" if wait["ask"] else ""))
        if wait["role"]:
            say(f"whoever of them is asked sees all of it with: fairlead workflow questions {found['id']}")
    for each in found.get("changed", ()):
        what = each["item"] + (f"#{each['section']}" if each["section"] else "")
        word = "matters" if each["matters"] else "says the same"
        steps = ", ".join(each["steps"])
        data(f"changed while it waited at {each['at']}: {what} ({each['why']}, {word}), given to {steps}")
    for each in found.get("refused", ()):
        data(f"refused at {each['at']}, and the run went on without it: {each['message']}")
    if (copy := found.get("copy")) is not None:
        data(f"a copy of {copy['of']} from {', '.join(copy['from'])}")
    if "output" in found:
        more = f"fairlead workflow status {found['id']} --take KEY prints one whole"
        data(jsons.dumps(briefly(found["output"], more), ensure_ascii=False, indent=2))
    failure = found.get("failure", {})
    for key in ("message", "why", "mend"):
        if failure.get(key) and not (key == "mend" and failure[key] == failure.get("why")):
            say(f"{key}: {failure[key]}")
    say(f"cost: {exact_money(found['cost'])}")


def _part(found: dict[str, Any], key: str) -> Any:
    """A part of a run's output. Raises `NotFound` where there is none yet, or none of this name."""
    output = found.get("output")
    if not isinstance(output, dict) or key not in output:
        known = ", ".join(output) if isinstance(output, dict) else ""
        why = f"it is {found['status']}" if "output" not in found else f"it gave {known or 'no object'}"
        raise NotFound(f"run {found['id']} has no {key!r}", why=why, mend="see all of it without --take", subject=key)
    return output[key]


def _what(wait: dict[str, Any]) -> str:
    if wait["approval"]:
        return f"the approval {wait['approval']} (fairlead approvals show {wait['approval']})"
    if wait["signal"]:
        return f"the signal {wait['signal']}"
    return wait["role"] or "its time"


def commands() -> dict[str, Any]:
    return commands_of(app)
