"""How a system fails, in words of the path. A connector raises these and no errors of the library that it rests on."""

from fairlead.errors import Upstream


class SystemFailed(Upstream):
    """A system of record could not be reached, or broke off, or answered with what cannot be read.

    `fairlead tools list` shows which systems answer. A call that may have changed something is never repeated by
    itself: look in the system whether it did, then call again.
    """

    code = "system_failed"


class NotAuthorised(Upstream):
    """The system itself does not let this person do it (its 401 or 403).

    This is final: Fairlead never tries again under a wider identity. Ask the owner of the system for the
    right.
    """

    code = "system_refused"
    status = 403


class ResultTooLarge(Upstream):
    """The result is larger than the system's `most_bytes`. Ask for less: a filter, a page, fewer columns."""

    code = "result_too_large"
