"""What the doctor says of runs of workflows: which have ended with something still done that they could undo. Their
persons may be gone, so nobody else is told."""

from itertools import islice
from typing import Final

from fairlead.cli.checks import OK, WARN, Finding, Looked
from fairlead.clock import SystemClock

_RECENT: Final = 30 * 86_400_000  # milliseconds
_NAMED: Final = 5
_COUNTED: Final = 1000


def workflows(looked: Looked) -> list[Finding]:
    """The runs of the last thirty days that have left something."""
    from fairlead.storage import workflow_rows as table

    since = SystemClock().now() - _RECENT
    with looked.store.reading() as connection:
        found = list(islice(table.runs(connection, since=since, not_undone=True), _COUNTED))
    if not found:
        return [Finding("workflows", OK, "all that runs of the last thirty days had to undo is undone")]
    count = f"{len(found)} or more" if len(found) == _COUNTED else str(len(found))
    named = "; ".join(f"{run.id} {run.workflow}: {run.not_undone}" for run in found[:_NAMED])
    mend = "undo it in its system: fairlead workflow runs --everyone --not-undone lists them, fairlead trace RUN tells"
    return [Finding("workflows", WARN, f"not undone by {count} ended runs: {named}", mend)]
