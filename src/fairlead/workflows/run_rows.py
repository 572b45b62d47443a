"""The row that a run begins with, and what its records say of policies."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.workflows.opened import Decided, Started

if TYPE_CHECKING:
    from fairlead.storage.workflow_rows import Run


LONGEST_INPUT: Final = 8 << 20
"""Bytes that a run may begin with, as sealed."""


def policies_of(decided: Decided | None) -> dict[str, Any]:
    """What policies said, and of which revision, as records keep it; nothing where none was asked."""
    if decided is None:
        return {}
    said = decided.decision
    hits = tuple((each.policy, each.mode, each.effect) for each in said.hits)
    return {"policies": tuple(each.policy for each in said.reasons), "hits": hits, "revision": decided.revision}


def row_of(caller: Caller, what: Started, id_: str, subject: str, now: int, **more: Any) -> "Run":
    """The row that a run begins with."""
    from fairlead.storage.workflow_rows import Run

    return Run(
        id=id_, once=_once(subject, what) or id_, workflow=what.workflow, definition=what.digest, subject=subject,
        tenant=caller.tenant, department=caller.department, parent=what.parent, priority=what.priority,
        made_at=now, **more,
    )  # fmt: skip


def refuse_long(what: Started, size: int) -> None:
    """Raises `BadInput` for more input than a run may begin with."""
    if size > LONGEST_INPUT:
        raise BadInput(
            f"the input has {size:,} bytes, and at most {LONGEST_INPUT:,} are taken",
            mend="put the data where a step can read it, and give the run its address",
            subject=what.workflow,
        )


def _once(subject: str, what: Started) -> str:
    """Under what name this start is the only one: a person's own, for one workflow."""
    if not what.once:
        return ""
    return sha256("\0".join((subject, what.workflow, what.once)).encode()).hexdigest()
