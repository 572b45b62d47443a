"""What people do to a run: answer it, signal it, hold it, let it go on, cancel it. Over the doors of programs."""

import json as jsons
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from fairlead.cli.answering import answered_here
from fairlead.cli.ask import Key
from fairlead.cli.asking import posted
from fairlead.cli.later import PLAIN, commands_of
from fairlead.cli.output import DryRun, Json, json_data, say
from fairlead.cli.place import Data, Url, Workspace, find, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.errors import BadInput

RUNS: Final = "/v1/workflows/runs"

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as `fairlead workflow runs` tells it.")]
At = Annotated[str, typer.Argument(metavar="STEP", help="Where the question stands: the step's place.")]
For = Annotated[
    str,
    typer.Option("--for", metavar="PERSON", help="By whoever runs the deployment, over its database: who answers."),
]
Note = Annotated[str, typer.Option("--note", help="Why. Kept sealed with the run.")]
Value = Annotated[str, typer.Option("--value", help="What is filled in, as JSON; `@FILE` reads a file.")]

app = typer.Typer(**PLAIN)


@app.command()
def approve(
    id_: Run, at: At, note: Note = "", value: Value = "", person: For = "", key: Key = "", url: Url = "",
    workspace: Workspace = None, data_folder: Data = None, dry_run: DryRun = False, json: Json = False,
) -> None:  # fmt: skip
    """Answer a question of somebody else's run with yes, or with the work that it asks for.

    With --for no server need run: the answer is kept until the run goes on.
    """
    order = {"do": "approve", "at": at, "note": note, "value": json_of(value, "--value") if value else None}
    if person and not dry_run:
        _say_done(id_, answered_here(find(workspace, data_folder), id_, order, person), json)
        return
    ordered(id_, order, key, url, workspace, dry_run, json)


@app.command()
def deny(
    id_: Run, at: At, note: Note = "", person: For = "", key: Key = "", url: Url = "", workspace: Workspace = None,
    data_folder: Data = None, dry_run: DryRun = False, json: Json = False,
) -> None:  # fmt: skip
    """Answer a question of somebody else's run with no. With --for no server need run."""
    order = {"do": "deny", "at": at, "note": note}
    if person and not dry_run:
        _say_done(id_, answered_here(find(workspace, data_folder), id_, order, person), json)
        return
    ordered(id_, order, key, url, workspace, dry_run, json)


@app.command()
def signal(
    id_: Run, name: Annotated[str, typer.Argument(metavar="SIGNAL", help="What a step of it waits for.")],
    value: Value = "", key: Key = "", url: Url = "", workspace: Workspace = None, dry_run: DryRun = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Send a run what it waits for."""
    order = {"do": "signal", "signal": name, "value": json_of(value, "--value") if value else None}
    ordered(id_, order, key, url, workspace, dry_run, json)


@app.command()
def cancel(
    id_: Run, key: Key = "", url: Url = "", workspace: Workspace = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Begin no further step of a run, and undo those that say how."""
    ordered(id_, {"do": "cancel"}, key, url, workspace, dry_run, json)


@app.command()
def pause(
    id_: Run, key: Key = "", url: Url = "", workspace: Workspace = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Begin no further step of a run until it is resumed."""
    ordered(id_, {"do": "pause"}, key, url, workspace, dry_run, json)


@app.command()
def resume(
    id_: Run, key: Key = "", url: Url = "", workspace: Workspace = None, dry_run: DryRun = False, json: Json = False
) -> None:
    """Go on with a run that was paused."""
    ordered(id_, {"do": "resume"}, key, url, workspace, dry_run, json)


def ordered(
    id_: str, order: dict[str, Any], key: str, url: str, workspace: Path | None, dry_run: bool, json: bool
) -> None:
    """Send an order about a run to the server, and tell what came of it."""
    if dry_run:
        say(f"would {order['do']} {id_}: {jsons.dumps(order)}")
        return
    address = url or server_url(workspace)
    with posted(address, order, key_or_login(key, address), path=f"{RUNS}/{quote(id_, safe='')}") as answer:
        done = jsons.loads(answer.read())
    _say_done(id_, done, json)


def _say_done(id_: str, done: dict[str, Any], json: bool) -> None:
    if json:
        json_data(done)
    elif "settled" in done:
        say(f"{id_}: answered {done['at']}" + ("" if done["settled"] else "; others must agree too"))
    else:
        say(f"{id_} is {done['status']}")


def json_of(text: str, option: str) -> Any:
    """What an option says as JSON, or in a file. Raises `BadInput`."""
    try:
        return jsons.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (ValueError, OSError) as error:
        raise BadInput(
            f"{option} is no JSON: {error}", mend=f'{option} \'{{"name": "value"}}\', or {option} @FILE'
        ) from None


def commands() -> dict[str, Any]:
    return commands_of(app)
