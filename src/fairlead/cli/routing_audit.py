"""`fairlead routing audit`: recorded choices, made again from their records alone."""

from collections.abc import Iterable
from contextlib import closing
from typing import Annotated, Any

import typer

from fairlead.cli import complete
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock
from fairlead.costs.record import Record
from fairlead.routing.auditing import differences


def audit(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs, or `last`.", autocompletion=complete.runs)
    ] = None,
    since: Annotated[str, typer.Option(help="Without runs: from when, as `7d`, `12h` or a day.")] = "7d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Make recorded choices of models again, from the record alone and under exchanged names.

    Ends with status 1 and the runs that come out otherwise.

    Examples:

        fairlead routing audit --since 30d

        fairlead routing audit last --json
    """
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(find(workspace, data_folder))) as store:
        log = log_of(store)
        rows = [row for run in runs for row in log.of_run(run)] if runs else log.since(start)
        checked, wrong = _checked(record_of(row) for row in rows)
    if json:
        json_data({"checked": checked, "differing": [{"run": run, "why": why} for run, why in wrong]})
    else:
        for run, why in wrong:
            for each in why:
                data(f"{run}: {each}")
        say(f"{checked} choices made again, {len(wrong)} came out otherwise")
    if wrong:
        raise typer.Exit(1)


def _checked(records: Iterable[Record]) -> tuple[int, list[tuple[str, list[str]]]]:
    checked, wrong = 0, []
    for record in records:
        if record.decision is None:
            continue
        checked += 1
        first = record.attempt == 1
        if why := differences(record.decision, record.model, record.run, first_attempt=first):
            wrong.append((record.run, why))
    return checked, wrong


def commands() -> dict[str, Any]:
    return built(audit=audit)
