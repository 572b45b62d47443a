"""`fairlead workflow retry` and `fork`: go on with a run that has failed, or with a copy of one from a step on."""

import json as jsons
from typing import Annotated, Any
from urllib.parse import quote

import typer

from fairlead.cli.ask import Key
from fairlead.cli.asking import posted
from fairlead.cli.later import built
from fairlead.cli.output import DryRun, Json, data, json_data, say
from fairlead.cli.place import Url, Workspace, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.cli.workflow_ordered import RUNS, Run, json_of, ordered
from fairlead.errors import BadInput

From = Annotated[
    str,
    typer.Option("--from", metavar="STEP", help="From which step on: its id, or its place, such as `lines[3].match`."),
]
Input = Annotated[str, typer.Option("--input", help="Another input, as JSON; `@FILE` reads a file.")]
Models = Annotated[
    list[str] | None, typer.Option("--model", metavar="STEP=NAME", help="Another model for a step; again for more.")
]
Results = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STEP=JSON", help="What a step gives, in place of what it gave; again for more."),
]
Current = Annotated[bool, typer.Option("--current", help="With the definition in force now, not the run's own.")]
Again = Annotated[bool, typer.Option("--again", help="Though something outside is changed once more by it.")]
Once = Annotated[str, typer.Option("--once", help="A name for this copy: the same one never begins two.")]


def fork(
    id_: Run, start: From = "", given: Input = "", model: Models = None, set_: Results = None, current: Current = False,
    again: Again = False, once: Once = "", key: Key = "", url: Url = "", workspace: Workspace = None,
    dry_run: DryRun = False, json: Json = False,
) -> None:  # fmt: skip
    """Begin a copy of a run that goes on from a step: what was done before is taken over, the rest is done anew.

    The run itself stays as it is. Without --from, a run that failed goes on from where it failed.
    """
    order: dict[str, Any] = {
        "do": "fork", "from": start, "models": dict(_named(each, "--model") for each in model or ()),
        "set": {step: json_of(said, "--set") for step, said in (_named(each, "--set") for each in set_ or ())},
        "current": current, "again": again, "once": once, "dry_run": dry_run,
    }  # fmt: skip
    if given:
        order["input"] = json_of(given, "--input")
    address = url or server_url(workspace)
    with posted(address, order, key_or_login(key, address), path=f"{RUNS}/{quote(id_, safe='')}") as answer:
        found = jsons.loads(answer.read())
    if json:
        json_data(found)
        return
    _say(found["copy"], "would take over" if dry_run else "took over")
    if not dry_run:
        data(found["id"])


def retry(
    id_: Run, start: From = "", given: Input = "", model: Models = None, set_: Results = None, current: Current = False,
    again: Again = False, key: Key = "", url: Url = "", workspace: Workspace = None, dry_run: DryRun = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Go on with a run that has failed: what failed is tried again, and nothing else.

    With a step, another input, result, model or definition it is a copy that goes on: see `fairlead workflow fork`.
    """
    if start or given or model or set_ or current or again:
        fork(id_, start, given, model, set_, current, again, "", key, url, workspace, dry_run, json)
    else:
        ordered(id_, {"do": "retry"}, key, url, workspace, dry_run, json)


def _say(copy: dict[str, Any], took: str) -> None:
    say(f"a copy of {copy['of']} from {', '.join(copy['from'])}")
    say(f"  {took}: {', '.join(copy['kept']) or 'nothing'}")
    if copy["anew"]:
        say(f"  does anew: {', '.join(copy['anew'])}")
    if copy["edited"]:
        say(f"  edited: {', '.join(copy['edited'])}")
    if copy["asked_again"]:
        say(f"  asks people again: {', '.join(copy['asked_again'])}")
    for each in copy["again"]:
        say(f"  changes something outside AGAIN: {each['at']} ({each['does']})")


def _named(said: str, option: str) -> tuple[str, str]:
    step, sign, value = said.partition("=")
    if not sign or not step or not value:
        raise BadInput(f"{option} is {said!r}", mend=f"{option} STEP=VALUE")
    return step.strip(), value


def commands() -> dict[str, Any]:
    return built(fork=fork, retry=retry)
