"""`fairlead backup`: a copy of all state that proves itself."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, json_data, progress, say
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.sealing import log_name
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.storage.backup import make_backup, note_backup
from fairlead.storage.database import is_postgres
from fairlead.storage.store import Store

app = typer.Typer(**PLAIN)


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="A folder that is not there yet.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Copy all state, as it stands at one moment, into a folder. Workers go on serving.

    The master key is not in it: keep that apart. `fairlead restore` is the way back.
    """
    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        if dry_run:
            say(f"would back {place.shown} up to {to}")
            return
        vault = open_vault(place, store)
        with progress("copying", _steps(place, store)) as told:
            made = make_backup(store, vault, log_name(place, store), to.absolute(), clock, told)
        about = f"{made.id}, {made.records} records, root {made.root}"
        note_backup(store, made, str(to.absolute()), deed(clock, "backup", by=f"os:{user()}", about=about))
    if json:
        json_data(made)
        return
    say(f"{to}: {made.records} records, audit root {made.root[:16]}…, {sum(made.rows.values())} rows, signed")
    say("keep it apart from the master key, which is not in it: who has both can read everything")


def _steps(place: Place, store: Store) -> int:
    from fairlead.storage.move import count_rows

    if is_postgres(place.database):
        return count_rows(store)
    return store.path.stat().st_size // 4096


def commands() -> dict[str, Any]:
    return {"backup": typer.main.get_command(app)}
