"""Starts of workflows, decided again: those that were begun, begun again, copied or tried again, and those that were
refused. Pure but for what it is told of runs."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.identity.types import Caller
from fairlead.policy.cedar_request import Starting
from fairlead.workflows.beginning import starting
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.sealing import Begun
from fairlead.workspace.deciding_again import Again, Unknown, caller_of
from fairlead.workspace.decisions_made import Made, Undecided

REFUSED: Final = "start_workflow"
_SAID: Final = {
    "workflow_begun": "start",
    "workflow_begun_again": "start again",
    "workflow_forked": "copy",
    "workflow_retry": "retry",
    REFUSED: "start",
}
KINDS: Final = frozenset(_SAID)
"""Records of starts."""
_COPY: Final = "copy"


class BegunRun(Struct, frozen=True):
    """A run, as far as its start is concerned."""

    begun: Begun
    workflow: str
    bundle: Bundle


class Start(Struct, frozen=True):
    """Who began, or wanted to begin, what. `run` is the run, "" where there is none; `own` what a copy or retry goes on
    with, whatever the workspace has by now."""

    what: str
    run: str
    workflow: str
    caller: Caller
    door: str
    copy: bool
    refused: bool
    own: Bundle | None = None


def start_of(record: Record, again: Again, begun: Callable[[str], BegunRun | str]) -> Start | Undecided:
    """What a record says of a start. `again` is the revision that decided, `begun` tells of a run or why not."""
    what = _SAID[record.kind]
    if record.kind == REFUSED:
        caller = caller_of(record, None, again.workspace)
        if isinstance(caller, Unknown):
            return Undecided(caller.why)
        copy = _COPY in record.flags
        return Start(_COPY if copy else what, "", record.about, caller, record.door, copy, True)
    id_ = record.about.partition(" ")[0]
    run = begun(id_)
    if isinstance(run, str):
        return Undecided(run)
    own = run.bundle if what in (_COPY, "retry") else None
    return Start(what, id_, run.workflow, run.begun.caller, run.begun.door, what == _COPY, False, own)


def decided_start(start: Start, again: Again) -> Made | None:
    """Whether policies let it begin; None where there is no such workflow."""
    bundle = start.own or again.workspace.workflows.get(start.workflow)
    if bundle is None:
        return None
    what: Starting = starting(bundle)
    decision = again.workspace.policy.start(start.caller, what, start.door, copy=start.copy)
    rules = tuple(each.policy for each in decision.reasons)
    return Made("begun" if decision.allowed else "refused", rules=rules)


def began(start: Start, again: Again) -> Made | Undecided:
    """As it was decided, by the revision that decided."""
    found = decided_start(start, again)
    if found is None:
        return Undecided("the revision that decided has no such workflow")
    if (found.effect == "refused") != start.refused:
        return Undecided(
            f"under the revision that decided it comes out as {found.effect}, and the record says otherwise"
        )
    return found
