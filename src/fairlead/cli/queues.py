"""`fairlead queues`: who runs and who waits, lane by lane, and at each limit of workflows."""

from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer

from fairlead.cli.compiled import published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.cli.when import age
from fairlead.storage.database import database_at
from fairlead.workflows.queues import limits_of
from fairlead.workflows.taking import standing_now

if TYPE_CHECKING:
    from fairlead.lanes.figures import WorkerFigures
    from fairlead.workflows.queues import Standing

queues_app = typer.Typer(**PLAIN)


@queues_app.command()
def queues(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """How many actions run and wait in each lane, as the workers on this machine have it, and how many runs of
    workflows do so at each limit, on all hosts."""
    from fairlead.clock import SystemClock
    from fairlead.lanes.figures import FOLDER, read

    place, now = find(workspace, data_folder), SystemClock().now()
    found = [each for each in read(place.beside / FOLDER, now) if each.lanes]
    walked = _runs_of(place)
    if json:
        json_data({"workers": found, "workflows": walked})
        return
    if found:
        _lanes(found)
    else:
        say("no worker on this machine has lanes: declare `lanes:` in fairlead.yaml, and serve")
    if walked:
        rows = [
            [each.kind, each.name or "(none)", str(each.running), "any" if each.places is None else str(each.places),
             str(each.waiting), age(now - each.since) if each.since else ""]
            for each in walked
        ]  # fmt: skip
        heads = ["runs by", "name", "running", "places", "waiting", "longest wait"]
        table(heads, rows, right=["running", "places", "waiting", "longest wait"])


def _runs_of(place: Place) -> "list[Standing]":
    """How runs of workflows stand; nothing where there is no database yet."""
    if not database_at(place.database).exists():
        return []
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        definitions = {name: bundle.definition for name, bundle in compiled.workflows.items()}
        return standing_now(store, limits_of(compiled.settings.workflows, definitions))


def _lanes(found: "list[WorkerFigures]") -> None:
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
