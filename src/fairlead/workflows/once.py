"""What holds of each effect of a walk: it is done once, where the run may go on, within its budget and its time."""

from collections.abc import Awaitable, Callable

from fairlead.errors import FairleadError
from fairlead.execution import Fairlead
from fairlead.execution.approval_question import ApprovalPending
from fairlead.identity.types import Caller
from fairlead.tools.person import ToolError
from fairlead.workflows.failures import failure_of
from fairlead.workflows.programs import Loaded
from fairlead.workflows.recorded import Recorded
from fairlead.workflows.resuming import Resuming
from fairlead.workflows.walk import (
    UNDO,
    Bounds,
    Cancelled,
    Parked,
    Place,
    State,
    StepFailed,
    StepResult,
    Waiting,
)

Watch = Callable[[str, State], None]
"""Told of a step's place, and of what it has come to."""


class Once:
    """What a walk knows, and what it asks before it does anything. `cancelled` and `paused` may be set at any time."""

    def __init__(
        self,
        fairlead: Fairlead,
        recorded: Recorded,
        loaded: Loaded,
        watch: Watch | None = None,
        resuming: Resuming | None = None,
    ) -> None:
        """`watch` is told of each step as the walk comes to it and as it ends; `resuming` looks at what has changed
        where the run was parked."""
        self.cancelled = False
        self.paused = False
        self._fairlead = fairlead
        self._recorded = recorded
        self._loaded = loaded
        self._began = recorded.opened.begun
        self._unkept = recorded.opened.run.unkept
        self._watch = watch
        self._moments: dict[str, int] = {}  # a step's time and what it waits for may begin at the same place
        self._resuming = resuming

    @property
    def caller(self) -> Caller:
        """Who began the run, with what they may do by now. Raises `Unauthenticated`."""
        return self._fairlead.current().authenticator.again(self._began.caller)

    def begun(self, at: Place) -> bool:
        return self._recorded.begun(at)

    async def once(self, at: Place, bounds: Bounds, do: Callable[[], Awaitable[StepResult]]) -> StepResult:
        """What the place gave before, or what it gives now; a failure of the step is kept as well."""
        found = self._recorded.found(at)
        if found is not None:
            return found
        await self._fairlead.caught_up()
        self.refuse(at)
        failed: StepFailed | None
        try:
            self._refuse_over(at, bounds)
            await self.resumed(at)
            return await do()
        except ApprovalPending as pending:
            if self._unkept:
                raise await self._recorded.keep_failure(at, cannot_wait(at, pending.message)) from None
            if self.cancelled and not at.undoing:  # it was begun and cut off: nobody is asked to let it be done now
                raise await self._recorded.keep_failure(at, _not_now(at, pending.message)) from None
            raise Parked(((at, Waiting(kind="call", id=pending.approval)),)) from None
        except ToolError as error:
            failed = StepFailed("error", str(error), at=at.text, code="tool_failed")
        except StepFailed as error:
            if self._recorded.knows(at):
                raise
            failed = error
        except FairleadError as error:
            failed = failure_of(at, error)
            if failed is None:
                raise
        assert failed is not None
        raise await self._recorded.keep_failure(at, failed)

    async def resumed(self, at: Place) -> None:
        """Where the run was parked here, what has changed meanwhile is looked at first. Raises as that does."""
        if self._resuming is None or at.undoing:
            return
        try:
            await self._resuming.look(at, lambda: self.caller)
        except Parked:
            if self.cancelled:
                raise Cancelled from None
            raise

    def _refuse_over(self, at: Place, bounds: Bounds) -> None:
        """Raises `StepFailed` where the money or the time for this is over. What is undone is undone all the same, but
        for what another run did: that run's result rests on it."""
        if at.undoing:
            self._refuse_foreign(at)
            return
        if bounds.budget == 0:
            mend = "raise the `budget` of the step or of the workflow"
            raise StepFailed("refused", "its budget is spent", at=at.text, code="over_budget", mend=mend)
        if bounds.deadline is not None and self._fairlead.clock.now() >= bounds.deadline:
            mend = "raise the `timeout` of the step or of the workflow"
            raise StepFailed("timeout", "its time is over", at=at.text, code="timeout", mend=mend)

    def _refuse_foreign(self, at: Place) -> None:
        done = Place(at.run, at.path[: at.path.index(UNDO)])
        if whose := self._recorded.elsewhere(done):
            why = "what a copy has taken over stands by itself"
            mend = f"undo it in its system where it shall not stand: fairlead workflow status {whose}"
            said = f"{done.text} was done by run {whose}"
            raise StepFailed("refused", said, at=at.text, code="not_ours", why=why, mend=mend)

    def refuse(self, at: Place) -> None:
        """Raises `Cancelled`, or `Parked` where the run is paused: for what is not begun yet. What was begun and cut
        off goes ahead in a cancelled run too: it may have been done, and is undone then."""
        if self.cancelled and not at.undoing and not self._recorded.begun(at):
            raise Cancelled
        if self.paused:
            raise Parked


def cannot_wait(at: Place, why: str) -> StepFailed:
    """The failure of what would have to wait for longer than a process does."""
    return StepFailed(
        "refused",
        "a run that is kept in memory only cannot wait here",
        at=at.text,
        code="cannot_wait",
        why=why,
        mend="say `secrecy: sealed` of the workflow, or have it done without being asked",
    )


def _not_now(at: Place, why: str) -> StepFailed:
    return StepFailed("refused", "the run was cancelled", at=at.text, code="cancelled", why=why, in_doubt=True)
