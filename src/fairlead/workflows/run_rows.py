"""The row that a run begins with, and what its records say of policies."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.workflows.opened import Decided, Started
from fairlead.workflows.walk import Place, Waiting

if TYPE_CHECKING:
    from fairlead.storage.workflow_rows import Run


_MOST_PLACES: Final = 20  # of what was not undone, in a row and in a record
LONGEST_INPUT: Final = 8 << 20
"""Bytes that a run may begin with, as sealed."""


def policies_of(decided: Decided | None) -> dict[str, Any]:
    """What policies said, and of which revision, as records keep it; nothing where none was asked."""
    if decided is None:
        return {}
    said = decided.decision
    hits = tuple((each.policy, each.mode, each.effect) for each in said.hits)
    return {"policies": tuple(each.policy for each in said.reasons), "hits": hits, "revision": decided.revision}


def places_told(told: Any) -> str:
    """The places of what a run could have undone and has not, as its row keeps them: no word of why, which may be of
    its payload. "" for none."""
    places = [str(at) for at, _ in told.get("not_undone", ())] if isinstance(told, dict) else []
    more = f" and {len(places) - _MOST_PLACES:,} more" if len(places) > _MOST_PLACES else ""
    return ", ".join(places[:_MOST_PLACES]) + more


def row_of(caller: Caller, what: Started, id_: str, subject: str, now: int, **more: Any) -> "Run":
    """The row that a run begins with."""
    from fairlead.storage.workflow_rows import Run

    return Run(
        id=id_, once=_once(subject, what) or id_, workflow=what.workflow, definition=what.digest, subject=subject,
        tenant=caller.tenant, department=caller.department, parent=what.parent, priority=what.priority,
        made_at=now, **more,
    )  # fmt: skip


def rests_until(waiting: Sequence[tuple[Place, Waiting]], until: int) -> int:
    """Until when the run rests should it be cancelled by now: what waits for its undoing, or met a fault, does; what
    else it waited for, it waits for no more."""
    from fairlead.storage.workflow_rows import EVER, FAULT

    if all(place.undoing for place, _ in waiting):
        return until or EVER
    return until if all(place.text.startswith(FAULT) for place, _ in waiting) else 0


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
