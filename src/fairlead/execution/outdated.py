"""What was decided before an announcement is never acted upon: it is refused, or decided anew.

Most announcements leave the revision as it is: somebody connected an account, a person was erased, a stop was lifted.
Where nothing was sent yet, and the caller stands as they did, the same path decides again from its beginning, under
what is in force by then: a stop, a key that is gone, a grant that has ended hold for it as for any call that comes now.
The decision before is in the log, as refused.
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fairlead.costs.ledger import Action
from fairlead.errors import FairleadError, Overloaded
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.identity.types import Caller

_Answer = TypeVar("_Answer")

_TIMES: Final = 3  # announcements in a row


class _Outdated(Overloaded):
    """Decided by what is no longer in force. `sent` says whether an attempt was made before."""

    def __init__(self, sent: bool, message: str, **more: str) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.sent = sent


async def decided_anew(fairlead: Fairlead, caller: Caller, path: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """What the path gives. Raises as it does, and `Overloaded` where it is outdated and cannot be decided anew."""
    for _ in range(_TIMES):
        before = fairlead.deployment
        try:
            return await path()
        except _Outdated as outdated:
            if outdated.sent or not _stands(fairlead, caller, before):
                raise
    return await path()


def _stands(fairlead: Fairlead, caller: Caller, before: Deployment) -> bool:
    """Whether the revision is the same, and lets the caller in by the same key or token, with the same rights."""
    try:
        now = fairlead.current()
        same = now.authenticator.is_same(caller, before.authenticator)
    except FairleadError:
        return False
    return same and now.revision == before.revision


def refuse_outdated(fairlead: Fairlead, deployment: Deployment, action: Action) -> None:
    """Raises `Overloaded` if what was decided was decided under something that is no longer in force: a policy, a key,
    a budget or the caller's groups may have changed while this call waited. The client's retry is decided anew.
    Raises `NotActive` if the caller is no longer active at their provider."""
    if fairlead.current() is not deployment:
        raise _Outdated(
            action.in_flight > 1,
            "the workspace changed while this call was waiting for its turn",
            why="it was decided under a revision or under keys that are no longer in force",
            mend="send it again: it is decided anew",
            step="attempt",
        )
    if deployment.authenticator.standing(action.caller) != action.caller:
        raise Overloaded(
            "you were taken out of a group while this call was waiting for its turn",
            why="it was decided with groups that are no longer yours",
            mend="send it again: it is decided with the groups that you have now",
            step="attempt",
        )
