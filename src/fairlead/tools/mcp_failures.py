"""What goes wrong with a server of the Model Context Protocol, in the words of the path."""

from collections.abc import Mapping
from typing import Any, Final

from mcp import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    UNSUPPORTED_PROTOCOL_VERSION,
    URL_ELICITATION_REQUIRED,
)
from pydantic import ValidationError

from fairlead.errors import BadInput, DeadlineExceeded, FairleadError, RateLimited
from fairlead.tools.failures import ClientLacks, CredentialRefused, NotAuthorised, ResultTooLarge, SystemFailed

_MOST_SAID: Final = 300  # characters of a server's own words

_NOT_FOUND: Final = -32002  # what revisions up to 2025-11-25 say of a resource that there is not

# Errors of the protocol after which nothing was done, why, and what mends them.
_UNDONE: Final[Mapping[int, tuple[str, str]]] = {
    METHOD_NOT_FOUND: ("it does not know what it was asked for", "look whether it is a server of this protocol"),
    UNSUPPORTED_PROTOCOL_VERSION: (
        "it speaks no revision of the protocol that Fairlead knows",
        "use a server of the revision 2025-11-25 or 2026-07-28",
    ),
    HEADER_MISMATCH: (
        "the schema of the tool is another than the accepted one",
        "look at it and accept it anew: fairlead tools accept",
    ),
    URL_ELICITATION_REQUIRED: (
        "it wants the caller to open a page first",
        "open the system in a browser and give it what it asks for, then call again",
    ),
}


def told(error: MCPError, system: str) -> FairleadError:
    """The failure that an error of the protocol stands for."""
    if error.code in (INVALID_PARAMS, _NOT_FOUND):
        return BadInput(f"{system} does not take these arguments", why=said(error.message), mend="mend the arguments")
    if error.code == MISSING_REQUIRED_CLIENT_CAPABILITY:
        said_of = error.data.get("requiredCapabilities") if isinstance(error.data, Mapping) else None
        known: dict[str, Any] = {name: {} for name in ("elicitation", "sampling", "roots") if name in (said_of or {})}
        return ClientLacks(system, known)
    if error.code in _UNDONE:
        why, mend = _UNDONE[error.code]
        return SystemFailed(
            f"{system} refused the call", why=why, mend=mend, subject=system, retryable=False, charged="no"
        )
    if error.code == CONNECTION_CLOSED:
        return broken_off(system, "the connection ended before its answer")
    return SystemFailed(
        f"{system} answered with an error",
        why=said(error.message),
        mend="look into the system's own log",
        subject=system,
        retryable=False,
        charged="unknown",
    )


def unreadable(error: ValidationError, system: str, what: str) -> SystemFailed:
    """The failure for an answer that is not what the protocol says. What the answer said is not repeated."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(each) for each in first["loc"])
    return SystemFailed(
        f"{system} answered with what is no {what}",
        why=said(f"{place}: {first['msg']}" if place else first["msg"]),
        mend="tell whoever runs the system",
        subject=system,
        retryable=False,
        charged="unknown",
    )


def no_connection(system: str, why: str, *, retryable: bool = True, retry_after: float | None = None) -> SystemFailed:
    """The failure before anything was asked."""
    return SystemFailed(
        f"{system} could not be reached",
        why=said(why),
        mend="check that it runs, and what `systems:` says of it",
        subject=system,
        retryable=retryable,
        charged="no",
        retry_after=retry_after,
    )


def broken_off(system: str, why: str) -> SystemFailed:
    """The failure after something was asked: it may have been done."""
    return SystemFailed(
        f"{system} broke off",
        why=said(why),
        mend="look in the system whether the call was carried out, then call again",
        subject=system,
        charged="unknown",
    )


def moved(system: str) -> SystemFailed:
    """The failure of a server that redirects: it is not followed."""
    return SystemFailed(
        f"{system} sends callers to another server",
        why="a redirect would take the caller's credential along",
        mend="write the address that it means as `url`",
        subject=system,
        retryable=False,
    )


def not_authorised(system: str, status: int) -> NotAuthorised:
    """The failure of a status 401 or 403: the credential is refused, or the right is missing."""
    known = status == 403
    kind = NotAuthorised if known else CredentialRefused
    return kind(
        f"{system} does not let the caller in" if not known else f"{system} does not let the caller do this",
        why=f"it answered with status {status}",
        mend="sign in again, or correct its credential" if not known else "ask the owner of the system for the right",
        subject=system,
        retryable=False,
    )


def too_fast(system: str, retry_after: float | None) -> RateLimited:
    """The failure of a status 429. `retry_after` in seconds, where the server says so."""
    return RateLimited(
        f"{system} asks for a pause",
        why="it answered with status 429",
        mend="call less often, or ask the owner of the system for more",
        subject=system,
        retry_after=retry_after,
    )


def too_large(system: str, most: int) -> ResultTooLarge:
    """The failure after more bytes than are taken: the call may have been carried out."""
    return ResultTooLarge(
        f"{system} answered with more than is taken",
        why=f"the limit is {most} bytes",
        mend="ask for less, or raise `most_bytes` of the system",
        subject=system,
        retryable=False,
        charged="unknown",
    )


def too_late(system: str, charged: str) -> DeadlineExceeded:
    """The failure after the deadline. `charged` says whether the call may have been carried out."""
    return DeadlineExceeded(
        f"{system} did not answer within the deadline",
        mend="raise `timeout` of the system, or ask for less",
        subject=system,
        retryable=False,
        charged=charged,
    )


def said(text: str) -> str:
    """A server's own words, short and on one line. They are data, and may be meant to mislead."""
    plain = "".join(each if each.isprintable() else " " for each in text[: 2 * _MOST_SAID])
    short = " ".join(plain.split())
    return short if len(short) <= _MOST_SAID else f"{short[:_MOST_SAID]}…"
