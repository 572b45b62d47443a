"""What fails at a model's server."""

from fairlead.error_kinds.foreseen import FairleadError


class Upstream(FairleadError):
    """A model's server could not be reached, or answered with an error, and no other candidate was left.

    `charged` says what the provider may bill: "no" (it refused before working), "unknown" (it may have worked), or
    "part" (it produced some of the reply).
    """

    code = "upstream"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        mend: str = "",
        subject: str = "",
        retryable: bool = True,
        charged: str = "no",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, why=why, mend=mend, step="attempt", subject=subject)
        self.retryable = retryable
        self.charged = charged
        self.retry_after = retry_after


class RateLimited(Upstream):
    """The model's server asks for a pause (HTTP 429)."""

    code = "upstream_rate_limited"


class Rejected(Upstream):
    """The model's server calls the request itself wrong; sending it elsewhere unchanged would not help."""

    code = "upstream_rejected"
    status = 400


class TooLong(Rejected):
    """The input is longer than the context of every model that may answer it.

    Shorten the messages, ask for fewer output tokens, or name a model with a longer context. The code is the one by
    which clients of many protocols know it, so that they can shorten and try again by themselves.
    """

    code = "context_length_exceeded"


class CutOff(Upstream):
    """The model's server stopped in the middle of a reply.

    What it produced was delivered and billed; the stream ends with an error event, never with `[DONE]`.
    """

    code = "upstream_cut_off"


class DeadlineExceeded(Upstream):
    """The action did not finish within its deadline (`defaults.deadline`, or the task type's own)."""

    code = "deadline_exceeded"
    status = 504
