"""`fairlead feedback`: how well a run was done, said to a running Fairlead over the door that programs use too."""

import json as jsons
from typing import Annotated, Any

import typer

from fairlead.cli import complete
from fairlead.cli.ask import Key
from fairlead.cli.asking import posted
from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, json_data, say
from fairlead.cli.place import Url, Workspace, server_url
from fairlead.cli.signing_in import key_or_login
from fairlead.errors import BadInput

app = typer.Typer(**PLAIN)


@app.command()
def feedback(
    run: Annotated[str, typer.Argument(help="The run, as `fairlead ask` tells it.", autocompletion=complete.runs)],
    score: Annotated[
        float | None, typer.Option("--score", help="How well it was done, from 0 (useless) to 1 (as wanted).")
    ] = None,
    correction: Annotated[
        str, typer.Option("--correction", help="How it should have been. Kept encrypted for whose run it is.")
    ] = "",
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Say how well a run was done. It is recorded, and routing learns from it."""
    if score is None and not correction:
        raise BadInput("nothing is said of the run", mend="--score 0.8, --correction TEXT, or both")
    body: dict[str, Any] = {"run": run} | ({"correction": correction} if correction else {})
    if score is not None:
        body["score"] = score
    if dry_run:
        say(f"would say {jsons.dumps(body)}")
        return
    address = url or server_url(workspace)
    with posted(address, body, key_or_login(key, address), path="/v1/feedback") as answer:
        done = jsons.loads(answer.read())
    if json:
        json_data(done)
        return
    say(f"{done['run']} ({done['task']}, {done['model']}) was judged {done['score']:g}: {done['id']}")


def commands() -> dict[str, Any]:
    return {"feedback": typer.main.get_command(app)}
