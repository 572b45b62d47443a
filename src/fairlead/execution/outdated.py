"""What was decided before an announcement is never acted upon: it is refused, or decided anew.

Most announcements leave the revision as it is: somebody connected an account, a person was erased, a stop was lifted.
Where nothing was sent yet, and the caller stands as they did, the same path decides again from its beginning, under
what is in force by then: a stop, a key that is gone, a grant that has ended hold for it as for any call that comes now.
The decision before is in the log, as refused.
"""

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from fairlead.costs.ledger import Action
from fairlead.errors import FairleadError, Overloaded
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.identity.types import Caller

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_Path = Callable[Concatenate[Fairlead, Caller, _Given], Coroutine[Any, Any, _Answer]]

_TIMES: Final = 3  # announcements in a row


class _Outdated(Overloaded):
    """Decided by what is no longer in force. `begun` says whether an attempt was made before, or a walk of a workflow
    knows that it was begun."""

    def __init__(self, begun: bool, message: str, **more: str) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.begun = begun


def decided_anew(path: _Path[_Given, _Answer]) -> _Path[_Given, _Answer]:
    """The path, which decides again what was outdated. Raises as it does, and `Overloaded` where that cannot be."""

    async def decided(fairlead: Fairlead, caller: Caller, /, *given: _Given.args, **more: _Given.kwargs) -> _Answer:
        for _ in range(_TIMES):
            before = fairlead.deployment
            try:
                return await path(fairlead, caller, *given, **more)
            except _Outdated as outdated:
                if outdated.begun or not _stands(fairlead, caller, before):
                    raise
        return await path(fairlead, caller, *given, **more)

    update_wrapper(decided, path)
    return decided


def _stands(fairlead: Fairlead, caller: Caller, before: Deployment) -> bool:
    """Whether the revision is the same, and lets the caller in by the same key or token, with the same rights."""
    try:
        now = fairlead.current()
        same = now.authenticator.is_same(caller, before.authenticator)
    except FairleadError:
        return False
    return same and now.revision == before.revision


async def refuse_outdated(fairlead: Fairlead, deployment: Deployment, action: Action) -> None:
    """Raises `Overloaded` if what was decided was decided under something that is no longer in force: a policy, a key,
    a budget or the caller's groups may have changed while this call waited. The client's retry is decided anew.
    Raises `NotActive` if the caller is no longer active at their provider."""
    if await fairlead.caught_up() is not deployment:
        raise _Outdated(
            action.marked or action.in_flight > 1,
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
