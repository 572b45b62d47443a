"""Fairlead's own events on the error stream, as JSON lines or for people's eyes, with no credential in them.

Modules log with the standard library (`logging.getLogger(__name__).warning("worker stopped", extra={"worker": id})`);
extra values become fields. Nothing is configured on import: whoever starts a process calls `start_logging`.
What a request or a reply says is never logged. So of a fault that nobody foresaw the log has its kind and where it was
(`faults.py`), and not its words, which may be anybody's; a guard hides credentials that slip into any other text. The
same holds of what fails where nobody waits for it: in a thread, in a callback, while something is thrown away.
"""

import logging
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from fairlead.telemetry.faults import fault_text

log = logging.getLogger("fairlead.telemetry")

HIDDEN = "[hidden]"

_SECRET_FIELD = re.compile(
    r"authorization|api[-_]?key|secret|password|passphrase|credential|cookie|private[-_]?key|(access|refresh|id|bearer)[-_]?token",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"""
    (?P<scheme>\b(?:bearer|basic|dpop)\s+)[A-Za-z0-9._~+/=-]{8,}        # a header's credentials
    | (?P<name>(?:authorization|[a-z-]*api[-_]?key|client[-_]?secret|password|cookie)["']?\s*[:=]\s*)
      (?:(?:bearer|basic|dpop)\s+)?                                     # a header or setting by its name
      (?:"[^"\n]*"|'[^'\n]*'|[^\s,;"'}\])]+)
    | (?P<url>://[^\s/:@]*:)[^\s/@]+(?=@)                               # a password in a URL
    | \bfl_[A-Za-z0-9]{16,}                                             # a key of Fairlead's
    | \b(?:sk|pk|rk|key|pat)[-_][A-Za-z0-9_-]{16,}                      # keys of other services
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.?[A-Za-z0-9_-]*        # a signed token
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHOWN = re.compile(r"[\n(]")  # where asyncio begins to show arguments, results and exceptions
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def hide_secrets(text: str) -> str:
    """The text with everything that looks like a credential replaced."""
    return _SECRET_TEXT.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    return (found["scheme"] or found["name"] or found["url"] or "") + HIDDEN


def _guarded(value: object) -> object:
    """A field's value with secrets hidden, as something that JSON can say."""
    if isinstance(value, str):
        return hide_secrets(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _field(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_guarded(inner) for inner in value]
    return hide_secrets(str(value))


def _field(name: str, value: object) -> object:
    return HIDDEN if _SECRET_FIELD.search(name) else _guarded(value)


def _event(record: logging.LogRecord) -> dict[str, Any]:
    at = datetime.fromtimestamp(record.created, UTC)
    event: dict[str, Any] = {
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "from": record.name,
        "event": hide_secrets(_said(record)),
    }
    for name, value in record.__dict__.items():
        if name not in _OWN_FIELDS:
            event[name if name not in event else f"{name}_"] = _field(name, value)
    if record.exc_info:
        event["error"] = hide_secrets(fault_text(record.exc_info[1]))
    return event


def _said(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return _SHOWN.split(text, maxsplit=1)[0] if record.name == "asyncio" else text


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, from, event, then the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as JSON, without a line's end."""
        return msgspec.json.encode(_event(record)).decode()


class Console(logging.Formatter):
    """One line for people: the time, the level where it matters, the event, its fields. Errors follow, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and an indented one for each of an error's. What is not printable in it is escaped."""
        event = _event(record)
        clock, level, error = event.pop("at")[11:19], event.pop("level"), event.pop("error", "")
        source, said = event.pop("from"), _one_line(event.pop("event"))
        fields = "".join(f" {name}={_one_line(str(value))}" for name, value in event.items())
        head = f"{clock} {said}" if level == "info" else f"{clock} {level}: {said}"
        if level != "info":
            fields += f" ({source})"
        tail = "".join(f"\n    {_one_line(line)}" for line in error.splitlines())
        return head + fields + tail


def _one_line(text: str) -> str:
    """Control characters escaped, so that logged text can neither forge a line nor drive a terminal."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Events(logging.StreamHandler[TextIO]):
    """Until it is closed it gets what threads and finalizers raise, too."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._before = threading.excepthook, sys.unraisablehook
        threading.excepthook, sys.unraisablehook = _thread_failed, _nobody_told

    def close(self) -> None:
        threading.excepthook, sys.unraisablehook = self._before
        super().close()


def start_logging(stream: TextIO, *, style: Literal["json", "console"]) -> logging.Handler:
    """Send Fairlead's events and the libraries' warnings to the stream. Returns the handler, for `stop_logging`.

    For the process's entry point only. Called again, it adds another stream. What threads and finalizers raise goes
    there as well: by itself Python prints all of it.
    """
    handler = _Events(stream)
    handler.setFormatter(JsonLines() if style == "json" else Console())
    root = logging.getLogger()
    root.addHandler(handler)
    if root.level == logging.NOTSET or root.level > logging.WARNING:
        root.setLevel(logging.WARNING)
    logging.getLogger("fairlead").setLevel(logging.INFO)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Take the handler away again and flush it."""
    logging.getLogger().removeHandler(handler)
    handler.close()


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread is not None else "nobody knows which"
    log.error("a thread failed: %s", name, exc_info=failed.exc_value)


def _nobody_told(failed: "sys.UnraisableHookArgs") -> None:
    log.error("something failed where nobody could be told", exc_info=failed.exc_value)
