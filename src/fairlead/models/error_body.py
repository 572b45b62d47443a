"""What stands in the body of a provider's error, in any of the shapes seen in the wild."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

_LONGEST_WORDS = 240
# Paths, tracebacks and anything that looks like a credential.
_PRIVATE = re.compile(
    r"""(?:Traceback\s\(most.*)            # a traceback, to its end
      | (?:File\s"[^"]*",?(?:\sline\s\d+)?)  # a frame of one
      | (?:\b[A-Za-z]:\\[^\s'"]+)           # C:\path
      | (?:(?<![\w:/])(?:/[\w.@+~-]+){2,}/?) # /a/path, but not a URL's
      | (?:\b[\w.-]+\.(?:py|pyc|so|cpp|cc|go|rs|js|ts):\d+) # source.py:12
      | (?:\b(?:sk|pk|rk|key|Bearer)[-_ ][\w*.-]{6,})""",
    re.VERBOSE | re.DOTALL,
)
_KIND_HEADER: Final = "x-amzn-errortype"


class ErrorBody(Struct, frozen=True):
    """`words` is what the provider says, not yet cleaned; `kind` its own names for the error.

    `pause` is how many seconds it asks to wait, where its body says so; `by_the_day` that the quota is one of a day.
    """

    words: str = ""
    kind: str = ""
    pause: float | None = None
    by_the_day: bool = False


_NOTHING: Final = ErrorBody()


def read_error(body: bytes, headers: Mapping[str, str] = {}) -> ErrorBody:
    """What an error says.

    Known are `{"error": {"message", "type", "code", "status", "details"}}`, `{"error": "text"}`, a list of one of
    these, `{"detail": "text" | [{"msg"}]}`, and `{"message"}` with the kind in a header. Plain text gives nothing:
    it is a page or a traceback.
    """
    named = headers.get(_KIND_HEADER, "").partition(":")[0]
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorBody(kind=cleaned(named)) if named else _NOTHING
    if isinstance(found, list):
        found = found[0] if found else ""
    if isinstance(found, dict):
        found = found.get("error") or found.get("detail") or found
    if isinstance(found, list):
        found = found[0] if found else ""
    if isinstance(found, str):
        return ErrorBody(found, cleaned(named))
    if not isinstance(found, dict):
        return _NOTHING
    words = found.get("message") or found.get("msg") or ""
    names = [name for key in ("code", "type", "status", "__type") if isinstance(name := found.get(key), str)]
    pause, by_the_day, reasons = _details(found.get("details"))
    kind = cleaned(" ".join(filter(None, (named, *names, *reasons))))[:80]
    return ErrorBody(words if isinstance(words, str) else "", kind, pause, by_the_day)


def cleaned(words: str) -> str:
    """A provider's words on one line, without paths, source lines and credentials, and not long."""
    words = _PRIVATE.sub("…", words)
    words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return words if len(words) <= _LONGEST_WORDS else words[: _LONGEST_WORDS - 1] + "…"


def _details(found: Any) -> tuple[float | None, bool, list[str]]:
    """The pause, whether a day's quota is spent, and the reasons, of Google's error details (google.rpc)."""
    pause, by_the_day, reasons = None, False, []
    for each in found if isinstance(found, list) else ():
        if not isinstance(each, dict):
            continue
        if isinstance(delay := each.get("retryDelay"), str) and re.fullmatch(r"\d{1,9}(\.\d{1,12})?s", delay):
            pause = float(delay[:-1])
        if isinstance(reason := each.get("reason"), str):
            reasons.append(reason)
        violations = each.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            by_the_day = by_the_day or (isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")))
    return pause, by_the_day, reasons
