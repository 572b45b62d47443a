"""`fairlead migrate-storage`: from a file on this machine to a PostgreSQL server, for several hosts."""

import shutil
from contextlib import closing
from typing import Annotated, Any

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import DryRun, Json, Yes, confirm, json_data, progress, say
from fairlead.cli.place import Data, Place, Workspace, database_in, find
from fairlead.errors import BadInput
from fairlead.storage.database import Where, database_at, is_postgres
from fairlead.storage.store import Store

app = typer.Typer(**PLAIN)


@app.command()
def migrate_storage(
    to: Annotated[str, typer.Argument(metavar="URL", help="postgresql://…, or env:NAME or file:PATH that holds it.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Copy all state from the SQLite file to an empty PostgreSQL database, and check that every proof holds there.

    Stop all workers first. All of it arrives or nothing does, so it can be run again; the file is only read. Afterwards
    set `storage.url` to the new database.
    """
    place = find(workspace, data_folder)
    where = database_in(place.workspace, to)
    if not is_postgres(where):
        raise BadInput(f"{to} is no PostgreSQL database", mend="give postgresql://USER@HOST/NAME, or env:NAME")
    shown = database_at(where).shown
    if dry_run:
        with closing(open_store(place)):
            say(f"would copy {place.shown} to {shown}")
        return
    confirm(f"Copy all state from {place.shown} to {shown}?", yes)
    _move(place, where, to, shown, json)


def _move(place: Place, where: Where, to: str, shown: str, json: bool) -> None:
    from fairlead.storage.migrations import migrate
    from fairlead.storage.move import count_rows, move

    with closing(open_store(place)) as source:
        migrate(where)
        with closing(Store.open(where)) as target, progress("copying", count_rows(source)) as told:
            moved = move(source, target, told)
    if place.beside != place.data and (kept := place.beside / "checkpoints").is_dir():
        shutil.copytree(kept, place.data / "checkpoints", dirs_exist_ok=True)
    if json:
        json_data({"rows": moved.rows, "size": moved.size, "root": moved.root})
        return
    say(f"{sum(moved.rows.values())} rows are at {shown}; {moved.size} records, audit root {moved.root[:16]}…: as here")
    say(f"now set in fairlead.yaml:  storage: {{url: {to if to != where else shown}}}")
    say(f"and keep {place.shown} until you have seen it serve; no worker must start on it again")


def commands() -> dict[str, Any]:
    return {"migrate-storage": typer.main.get_command(app)}
