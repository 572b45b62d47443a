"""`fairlead doctor` and `migrate`: is this installation sound, and what mends it where it is not?"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from fairlead.cli import checks, doors, providers, scoring, unfinished
from fairlead.cli.checks import BAD, Finding, Looked
from fairlead.cli.init import show_first_key
from fairlead.cli.later import PLAIN
from fairlead.cli.output import DryRun, Json, bold, data, json_data, one_line, red, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.setting_up import set_up
from fairlead.errors import FairleadError
from fairlead.storage.database import database_at
from fairlead.storage.store import SCHEMA_VERSION

doctor_app = typer.Typer(**PLAIN)
migrate_app = typer.Typer(**PLAIN)

CHECKS: tuple[Callable[[Looked], list[Finding]], ...] = (
    checks.program,
    checks.workspace,
    checks.data_folder,
    checks.disk,
    checks.master_key,
    checks.database,
    doors.listening,
    doors.signing_in,
    checks.workers,
    checks.revision,
    scoring.vectors,
    unfinished.workflows,
    checks.audit,
    checks.anchors,
    checks.clock,
    checks.models,
    checks.authorities,
    providers.providers,
)


@doctor_app.command()
def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Ask cloud endpoints too; by default only those in the house.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Look for what is wrong with this installation, within three seconds. Status 1 if anything is bad."""
    looked = Looked(find(workspace, data_folder), online)
    findings = [finding for check in CHECKS for finding in _made(check, looked)]
    looked.close()
    if json:
        json_data(findings)
    else:
        _show(findings)
    if any(finding.state == BAD for finding in findings):
        raise typer.Exit(1)


def _made(check: Callable[[Looked], list[Finding]], looked: Looked) -> list[Finding]:
    """What a check found. What keeps it from looking is itself a finding."""
    name = check.__name__.replace("_", " ")
    try:
        return check(looked)
    except FairleadError as error:
        return [Finding(name, BAD, error.message + (f": {error.why}" if error.why else ""), error.mend)]
    except OSError as error:
        return [Finding(name, BAD, str(error), "check the permissions of the data folder")]


def _show(findings: list[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = finding.state.ljust(4)
        mark = red(mark, sys.stdout) if finding.state == BAD else bold(mark, sys.stdout)
        print(f"{mark}  {finding.subject.ljust(width)}  {one_line(finding.said)}")
        if finding.mend:
            print(f"      {' ' * width}  help: {one_line(finding.mend)}")


@migrate_app.command()
def migrate(workspace: Workspace = None, data_folder: Data = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Bring the state database to this version's schema; make it where there is none. Stop all workers first."""
    place = find(workspace, data_folder)
    database = database_at(place.database)
    before = database.schema_version() if database.exists() else ""
    if dry_run:
        steps = "nothing to do" if before == SCHEMA_VERSION else f"would migrate to {SCHEMA_VERSION}"
        say(f"{place.shown}: schema {before or 'none'}; {steps}")
        return
    made = set_up(place)
    if json:
        json_data({"before": before or None, "after": made.schema, "first_key": made.first_key or None})
        return
    show_first_key(made)
    say(f"{place.shown}: schema {before or 'none'}, now {made.schema}")
    if not made.first_key:
        data(made.schema)


def commands() -> dict[str, Any]:
    return {"doctor": typer.main.get_command(doctor_app), "migrate": typer.main.get_command(migrate_app)}
