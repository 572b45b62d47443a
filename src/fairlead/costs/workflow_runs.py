"""Runs of workflows as the log tells of them: when they began and ended, how, and whether people were asked. Pure."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.costs.work import is_work, work_id

BEGUN: Final = "workflow_begun"
_ENDS: Final = frozenset({"workflow_done", "workflow_failed", "workflow_cancelled", "workflow_lost"})
_PEOPLE: Final = frozenset({"workflow_approved", "workflow_denied", "workflow_agreed"})
KINDS: Final = _ENDS | _PEOPLE
"""What may be recorded of a run after the period in which it began."""


class WorkflowRun(Struct, frozen=True):
    """`ended` is 0 while it is under way, `alone` says that no person was asked anything. Milliseconds since 1970."""

    name: str
    begun: int
    ended: int = 0
    done: bool = False
    alone: bool = True


def workflow_runs(records: Iterable[Record]) -> dict[str, WorkflowRun]:
    """Those that have begun, by the piece of work that their actions are recorded under."""
    begun: dict[str, tuple[str, WorkflowRun]] = {}
    later: list[Record] = []
    tenants: dict[str, set[str]] = {}
    for record in records:
        if record.kind == BEGUN:
            id_, _, rest = record.about.partition(" ")
            begun[id_] = record.person, WorkflowRun(rest.partition(" ")[0], record.at)
        elif record.kind in KINDS:
            later.append(record)
        elif is_work(record.within):
            tenants.setdefault(record.person, set()).add(record.tenant)
    runs = dict(begun)
    for record in later:
        id_ = record.about.partition(" ")[0]
        if id_ in runs:
            person, run = runs[id_]
            runs[id_] = person, _told(run, record)
    # A record of the run does not say its tenant, so it is looked for among those of its person.
    return {
        work_id(person, tenant, id_): run for id_, (person, run) in runs.items() for tenant in tenants.get(person, ())
    }


def _told(run: WorkflowRun, record: Record) -> WorkflowRun:
    if record.kind in _ENDS:
        return WorkflowRun(run.name, run.begun, record.at, record.kind == "workflow_done", run.alone)
    return WorkflowRun(run.name, run.begun, run.ended, run.done, alone=False)
