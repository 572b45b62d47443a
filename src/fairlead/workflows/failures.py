"""What an error on the governed path means to a workflow: which kind of failure it is, and whether waiting helps."""

from fairlead.errors import (
    BadInput,
    DeadlineExceeded,
    FairleadError,
    Overloaded,
    RateLimited,
    Refused,
    Rejected,
    Unauthenticated,
    Upstream,
)
from fairlead.tools.failures import NotAuthorised
from fairlead.workflows.nodes import ErrorKind
from fairlead.workflows.walk import Place, StepFailed


def failure_of(at: Place, error: FairleadError) -> StepFailed | None:
    """The step's failure; None for what is no fault of the step: it is walked again, later."""
    kind = _kind(error)
    if kind is None:
        return None
    return StepFailed(
        kind,
        error.message,
        at=at.text,
        code=error.code,
        why=error.why,
        mend=error.mend,
        run=error.run,
        in_doubt=isinstance(error, Upstream) and error.charged == "unknown",
    )


_KINDS: tuple[tuple[type[FairleadError], ErrorKind], ...] = (
    (Overloaded, "busy"),
    (RateLimited, "busy"),
    (DeadlineExceeded, "timeout"),
    (Rejected, "error"),
    (NotAuthorised, "refused"),
    (Upstream, "unavailable"),
    (Refused, "refused"),
    (Unauthenticated, "refused"),
    (BadInput, "refused"),
)
"""The first that fits."""


def _kind(error: FairleadError) -> ErrorKind | None:
    if type(error) is Overloaded:  # its kinds are limits; it itself is this worker, which may be behind
        return None
    return next((kind for each, kind in _KINDS if isinstance(error, each)), None)
