"""What all errors share; who asks is not known, what was asked is wrong, and faults of Fairlead's own."""

from typing import ClassVar


class FairleadError(Exception):
    """Something failed in a way that Fairlead foresaw."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.mend = mend
        self.step = step
        self.subject = subject
        self.run = ""


class Unauthenticated(FairleadError):
    """The caller showed no valid credential.

    Send `Authorization: Bearer KEY` with a key made by `fairlead key add`, or an access token of an identity
    provider that the workspace names under `identity:`. Keys expire and can be revoked; tokens must name the
    workspace's audience.
    """

    code = "unauthenticated"
    status = 401


class BadInput(FairleadError):
    """The request, or a file of the workspace, is not well formed.

    The message names the field or the line. Nothing was changed and nothing was spent.
    """

    code = "bad_input"
    status = 400

    def __init__(
        self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "", param: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.param = param  # the field of a request's body, as a path into it, where one is to blame


class NotFound(BadInput):
    """What was asked for does not exist here, or is not visible to this caller."""

    code = "not_found"
    status = 404


class Broken(FairleadError):
    """A fault of Fairlead's own. The run id and the log hold the details; please report it."""

    code = "broken"
    status = 500
