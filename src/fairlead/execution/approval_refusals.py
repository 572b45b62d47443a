"""Why a question cannot be asked, seen or answered, in words."""

from typing import TYPE_CHECKING, NoReturn

from fairlead.errors import BadInput, NotFound, Refused
from fairlead.execution.approval_question import LONGEST_REASON, Approval, NotOpen, OwnCall, Question
from fairlead.identity.types import Caller

if TYPE_CHECKING:
    from fairlead.storage.approval_rows import ApprovalRow


def require_short(reason: str) -> None:
    """Raises `BadInput`."""
    if len(reason) > LONGEST_REASON:
        raise BadInput(
            f"the reason has {len(reason)} characters",
            why=f"{LONGEST_REASON} are the most",
            mend="shorten it",
            param="reason",
        )


def require_open(row: "ApprovalRow | None", id_: str, revision: str, now: int) -> None:
    """Raises `NotOpen` where it cannot be answered any more, `NotFound` where it is gone."""
    if row is None:
        unknown(id_)
    if row.state != "pending" or row.expires_at <= now:
        state = row.state if row.state != "pending" else "expired"
        raise NotOpen(f"{id_} is {state}", why="only what is pending can be answered", mend="have the call made again")
    if row.revision != revision:
        raise NotOpen(
            f"{id_} was asked under another revision of the workspace",
            why="what may be done, or what the tool does, may be another since",
            mend="have the call made again: it asks anew",
        )


def unfit(asked: Approval, who: Caller, own: bool) -> NoReturn:
    """For who sees a question and may not answer it. Raises `OwnCall` where a call of theirs asks, `NotFound`."""
    if own:
        raise OwnCall(
            f"{asked.id} is a call of {who.person}, who asks to approve it",
            why="nobody approves what they do themselves, nor does another program of theirs",
            mend=f"ask somebody who is {' or '.join(asked.question.wanted)}",
        )
    unknown(asked.id)


def too_many(question: Question, most: int) -> Refused:
    """The error for one question more than a person may have waiting."""
    return Refused(
        f"{most} calls of this person wait for an approval",
        why="more would bury those who must answer",
        mend="wait until some are answered",
        subject=question.tool,
    )


def unknown(id_: str) -> NoReturn:
    """Raises `NotFound`."""
    # The same for what never was and what is not for this person's eyes.
    raise NotFound(
        f"there is no approval {id_[:80]!r} for you here",
        why="it never was, was kept for long enough, or is not yours to answer",
        mend="fairlead approvals list",
    )
