"""`fairlead context sync`: what is new at the sources of `context/sources.yaml`."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from fairlead.cli.bringing import resources_of, show, synced
from fairlead.cli.later import built
from fairlead.cli.output import DryRun, Json
from fairlead.cli.place import Data, Workspace, find
from fairlead.errors import NotFound, closest
from fairlead.workspace.declared import Declared, declared_in
from fairlead.workspace.text import SOURCES

Key = Annotated[
    str,
    typer.Option(
        "--as", envvar="FAIRLEAD_API_KEY", metavar="KEY", show_default=False, help="The key to ask systems with (MCP)."
    ),
]


def sync(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]…", show_default=False, help="Default: all of them.")
    ] = None,
    accept_empty: Annotated[
        bool, typer.Option("--accept-empty", help="Believe a source that has nothing at all any more.")
    ] = False,
    key: Key = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Bring in what is new at the sources of context/sources.yaml. What people set or wrote in these pages stays.

    Status 1: a source did not answer, or some of its pieces could not be read. All else is in place then.
    """
    place = find(workspace, data_folder)
    found = declared_in(place.workspace)
    with resources_of(place, key) as resources:
        reports = synced(place, found, _chosen(found, sources or ()), resources, accept_empty, dry_run)
    show(reports, json, dry_run)


def _chosen(found: Declared, wanted: Iterable[str]) -> list[str]:
    for name in wanted:
        if name not in found.sources:
            raise NotFound(f"there is no source {name!r}", why=f"{SOURCES} has none", mend=closest(name, found.sources))
    names = list(wanted) or list(found.sources)
    if not names:
        raise NotFound(
            f"{SOURCES} names no source",
            why="there is nothing to sync",
            mend="fairlead context add DIR --as-source NAME writes the first one",
        )
    return names


def commands() -> dict[str, Any]:
    return built(sync=sync)
