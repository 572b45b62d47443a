"""`fairlead queues`: who runs and who waits, lane by lane."""

from typing import Any

import typer

from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Workspace, find

queues_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@queues_app.command()
def queues(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """How many actions run and wait in each lane, as the workers on this machine have it."""
    from fairlead.clock import SystemClock
    from fairlead.lanes.figures import FOLDER, read

    whole = read(find(workspace, data_folder).beside / FOLDER, SystemClock().now())
    found = [each for each in whole if each.lanes]
    if json:
        json_data({"workers": found})
        return
    if not found:
        say("no worker on this machine has lanes: declare `lanes:` in fairlead.yaml, and serve")
        return
    lanes: dict[str, list[Any]] = {}
    for worker in found:
        for each in worker.lanes:
            lanes.setdefault(each.lane, []).append(each)
    table(
        ["lane", "running", "places", "waiting", "longest wait s", "refused"],
        [
            [
                name,
                str(sum(each.running for each in parts)),
                str(sum(each.places for each in parts)) if all(each.places is not None for each in parts) else "any",
                str(sum(each.waiting for each in parts)),
                f"{max(each.longest_wait for each in parts):.1f}",
                str(sum(each.refused for each in parts)),
            ]
            for name, parts in lanes.items()
        ],
        right=["running", "places", "waiting", "longest wait s", "refused"],
    )


def commands() -> dict[str, Any]:
    return {"queues": typer.main.get_command(queues_app)}
