"""How a system fails, in words of the path. A connector raises these and no errors of the library that it rests on."""

from collections.abc import Mapping
from typing import Any

from fairlead.errors import Upstream


class SystemFailed(Upstream):
    """A system of record could not be reached, or broke off, or answered with what cannot be read.

    `fairlead tools list` shows which systems answer. A call that may have changed something is never repeated by
    itself: look in the system whether it did, then call again.
    """

    code = "system_failed"


class ClientLacks(SystemFailed):
    """The system does this only for programs that can do something which the caller's program has not declared.

    `required` says what, in the protocol's words: to answer questions, to let a model answer, to tell its folders. Use
    such a program, and let the workspace pass its answers on (`passes: [questions]` of the system).
    """

    code = "client_lacks"

    def __init__(self, system: str, required: Mapping[str, Any]) -> None:
        super().__init__(
            f"{system} wants to ask the caller's program something first",
            why=f"it needs {', '.join(sorted(required)) or 'an ability'} of the program that calls",
            mend="call from a program that declares this, or use a tool that needs nothing but its arguments",
            subject=system,
            retryable=False,
            charged="no",
        )
        self.required = required


class NotAuthorised(Upstream):
    """The system itself does not let this person do it (its 401 or 403).

    This is final: Fairlead never tries again under a wider identity. Ask the owner of the system for the
    right.
    """

    code = "system_refused"
    status = 403


class CredentialRefused(NotAuthorised):
    """The system does not know the credential that the caller has there (its 401): it has ended, or was taken back.

    Nothing was done. A token of a grant has been renewed once before this is told; where that did not help, connect
    the system anew, or sign in again.
    """

    code = "credential_refused"


class ResultTooLarge(Upstream):
    """The result is larger than the system's `most_bytes`. Ask for less: a filter, a page, fewer columns."""

    code = "result_too_large"
