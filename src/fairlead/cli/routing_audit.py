"""`fairlead routing audit`: recorded choices, made again from their records alone."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from fairlead.storage.log import Log


def audit(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs, or `last`.", autocompletion=complete.runs)
    ] = None,
    since: Annotated[str, typer.Option(help="Without runs: from when, as `7d`, `12h` or a day.")] = "7d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Make recorded choices of models again, from the record alone and under exchanged names; hold the attempts
    against them, and what was expected against the predictor that is named, as far as that needs no prompt.

    Ends with status 1 and the runs that come out otherwise; says what a record cannot tell.

    Examples:

        fairlead routing audit --since 30d

        fairlead routing audit last --json
    """
    from fairlead.workspace.routing_audit import ALWAYS_TAKEN, Predictors, audited

    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(find(workspace, data_folder))) as store:
        log = log_of(store)
        rows = [row for run in runs for row in log.of_run(run)] if runs else log.since(start)
        found = audited(_whole(log, (record_of(row) for row in rows)), Predictors(store))
    if json:
        differing = [{"run": run, "why": why} for run, why in found.wrong]
        unchecked = [*({"what": what, "choices": many} for what, many in found.unchecked.items())]
        json_data({"checked": found.checked, "differing": differing, "not_checked": unchecked})
    else:
        for run, why in found.wrong:
            for each in why:
                data(f"{run}: {each}")
        say(f"{found.checked} choices made again, {len(found.wrong)} came out otherwise")
        for what, many in found.unchecked.items():
            say(f"not checked, of {many}: {what}")
        say(f"not checked: {ALWAYS_TAKEN}")
    if found.wrong:
        raise typer.Exit(1)


def _whole(log: "Log", records: Iterable[Record]) -> Iterator[Record]:
    """The records, with those of a run that began before them."""
    begun = set[str]()
    for record in records:
        if record.kind not in ("attempt", "call_model"):
            continue
        if record.attempt > 1 and record.run not in begun:
            yield from (each for each in map(record_of, log.of_run(record.run)) if each.attempt < record.attempt)
        begun.add(record.run)
        yield record
        if record.kind == "call_model":
            begun.discard(record.run)


def commands() -> dict[str, Any]:
    return built(audit=audit)
