"""The trace of one run: how long each stage of the governed path took, what it waited for, and where it failed.

A trace is written by one task and read back by `fairlead trace` and `fairlead load`. Recording is on every request's
path, so a row is a plain list, one context manager serves all steps of a trace, and the encoded form is the rows as
they are. `Span` is what readers get.
"""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput, FairleadError

STAGES = ("authenticate", "classify", "stitch", "authorize", "plan", "reserve", "attempt", "check", "settle")

_Gives = TypeVar("_Gives")
Attribute = str | int | float | bool | None

_VERSION = 1
# A row: name, index of the parent (-1 for none), the clock at its start, elapsed, waited, error, attributes.
_NAME, _PARENT, _ELAPSED, _WAITED, _ERROR, _ATTRIBUTES = 0, 1, 3, 4, 5, 6
_encode = msgspec.msgpack.Encoder().encode


class Span(Struct, frozen=True, kw_only=True):
    """One step as it was recorded. Times are in nanoseconds; `start` counts from the beginning of the first one.

    `parent` is the index of the enclosing span, -1 for none. `elapsed` is the time spent inside. `waited` is the part
    of it that this span itself spent waiting for others, and `own` what remains once waiting and enclosed spans are
    taken off: the work of Fairlead. `error` is the code of the error that left the step. `open` marks a step that was
    still running when the trace was encoded, as the settling one always is.
    """

    name: str
    parent: int
    start: int
    elapsed: int
    waited: int
    own: int
    error: str = ""
    attributes: dict[str, Attribute] = {}
    open: bool = False


class Trace:
    """Records the steps of one run. Steps nest; they must be left in the reverse order of entering.

    `clock_ns` is a monotonic clock in nanoseconds. Not for use by two tasks at once.
    """

    __slots__ = ("_clock", "_here", "_rows", "_wait", "run")

    def __init__(self, run: str, clock_ns: Callable[[], int]) -> None:
        self.run = run
        self._clock = clock_ns
        self._rows: list[list[Any]] = []
        self._here = -1  # the index of the innermost open row
        self._wait: _Wait | None = None

    def step(self, name: str) -> AbstractContextManager[None]:
        """Open a step: `with trace.step("classify"):`. It begins here, not at `with`.

        An error that leaves the step marks it with the error's code, and learns the stage if it knew none.
        """
        rows = self._rows
        now = self._clock()
        # An open row holds minus its start in place of its elapsed time, so that leaving is one addition.
        row = [name, self._here, now, -now, 0, "", None]
        self._here = len(rows)
        rows.append(row)
        return self

    def add(self, name: str, elapsed: int) -> None:
        """A step that has just ended and was measured elsewhere, as authentication is: before there is a run."""
        self._rows.append([name, self._here, self._clock() - elapsed, elapsed, 0, "", None])

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        row = self._rows[self._here]
        row[_ELAPSED] += self._clock()
        self._here = row[_PARENT]
        if error is not None:
            row[_ERROR] = _code(error)
            if isinstance(error, FairleadError) and not error.step and row[_NAME] in STAGES:
                error.step = row[_NAME]

    def waiting(self) -> AbstractContextManager[None]:
        """Time inside `with trace.waiting():` counts as the innermost step's waiting, not as its work. Not nested."""
        wait = self._wait
        if wait is None:
            wait = self._wait = _Wait(self._clock)
        wait.row = self._rows[self._here] if self._here >= 0 else []
        return wait

    def timed(self, work: Coroutine[Any, Any, _Gives]) -> Awaitable[_Gives]:
        """`await trace.timed(work)`: the time for which it is suspended counts as waiting of the step it is suspended
        in, whatever it waits for. What is left is its own work in this task; work in threads counts as waiting."""
        return _Timed(self, work)

    def _suspended(self, here: int, elapsed: int) -> None:
        if here >= 0 and (self._wait is None or not self._wait.on):
            self._rows[here][_WAITED] += elapsed

    def note(self, **attributes: Attribute) -> None:
        """Add attributes to the innermost open step (to none, if no step is open). Later values win.

        They are stored unencrypted: names, counts and codes only, never text of a request or a reply.
        """
        if self._here >= 0:
            row = self._rows[self._here]
            row[_ATTRIBUTES] = attributes if row[_ATTRIBUTES] is None else row[_ATTRIBUTES] | attributes

    def elapsed(self, name: str) -> int:
        """Nanoseconds of the latest step of this name, 0 if there was none. It must have ended."""
        return next((int(row[_ELAPSED]) for row in reversed(self._rows) if row[_NAME] == name), 0)

    def encode(self) -> bytes:
        """Everything recorded so far, as MessagePack. Open steps are shown with the time that they took until now."""
        rows, here, now = self._rows, self._here, self._clock()
        while here >= 0:
            rows[here][_ELAPSED] += now
            here = rows[here][_PARENT]
        encoded = _encode((_VERSION, self._here, rows))
        here = self._here
        while here >= 0:
            rows[here][_ELAPSED] -= now
            here = rows[here][_PARENT]
        return encoded


def _code(error: BaseException) -> str:
    if isinstance(error, FairleadError):
        return error.code
    return "abandoned" if isinstance(error, CancelledError | GeneratorExit) else "broken"


class _Timed(Generic[_Gives]):
    """An awaitable that hands all on to the work within it, and notes when that is suspended."""

    __slots__ = ("_here", "_since", "_trace", "_work")

    def __init__(self, trace: Trace, work: Coroutine[Any, Any, _Gives]) -> None:
        self._trace = trace
        self._work = work
        self._here = -1
        self._since = 0

    def __await__(self) -> Generator[Any, Any, _Gives]:
        return self  # what a generator has of these is all that is asked of it

    def __iter__(self) -> "_Timed[_Gives]":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        trace = self._trace
        if self._here >= 0:
            trace._suspended(self._here, trace._clock() - self._since)
        try:
            return self._work.send(value)
        finally:
            self._here, self._since = trace._here, trace._clock()

    def throw(self, *error: Any) -> Any:
        trace = self._trace
        if self._here >= 0:
            trace._suspended(self._here, trace._clock() - self._since)
        try:
            return self._work.throw(*error)
        finally:
            self._here, self._since = trace._here, trace._clock()

    def close(self) -> None:
        self._work.close()


class _Wait:
    """Adds the time inside to the waiting of the row that was innermost when it was asked for."""

    __slots__ = ("_clock", "_since", "on", "row")

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock = clock_ns
        self._since = 0
        self.on = False
        self.row: list[Any] = []

    def __enter__(self) -> None:
        self.on = True
        self._since = self._clock()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.on = False
        if self.row:
            self.row[_WAITED] += self._clock() - self._since


class _Row(Struct, array_like=True, forbid_unknown_fields=True):
    name: str
    parent: int
    began: int
    elapsed: int
    waited: int
    error: str
    attributes: dict[str, Attribute] | None


class _Encoded(Struct, array_like=True):
    version: int
    here: int
    rows: list[_Row]


_decode = msgspec.msgpack.Decoder(_Encoded).decode


def decode(encoded: bytes) -> tuple[Span, ...]:
    """The spans of an encoded trace, in the order in which they began; none for no bytes.

    Raises `BadInput` if these are not the bytes of a trace: spans lie outside the audit proof, so they are not trusted.
    """
    if not encoded:
        return ()
    try:
        trace = _decode(encoded)
    except msgspec.MsgspecError as error:
        raise BadInput("the trace cannot be read", why=str(error), mend="its record is intact; read that") from error
    if trace.version != _VERSION:
        raise BadInput(
            f"the trace has format {trace.version}",
            why=f"this Fairlead reads format {_VERSION}",
            mend="read it with the Fairlead that wrote it; its record is readable all the same",
        )
    parents = [*(row.parent for row in trace.rows), trace.here]
    if any(not -1 <= parent < index for index, parent in enumerate(parents)):
        raise BadInput(
            "the trace cannot be read",
            why="a step stands before the step that encloses it",
            mend="its record is intact; read that",
        )
    return _spans(trace)


def _spans(trace: _Encoded) -> tuple[Span, ...]:
    rows = trace.rows
    first = min((row.began for row in rows), default=0)
    own = [row.elapsed - row.waited for row in rows]
    for row in rows:
        if row.parent >= 0:
            own[row.parent] -= row.elapsed
    still_open = set[int]()
    here = trace.here
    while here >= 0:
        still_open.add(here)
        here = rows[here].parent
    return tuple(
        Span(
            name=row.name,
            parent=row.parent,
            start=row.began - first,
            elapsed=row.elapsed,
            waited=row.waited,
            own=max(0, own[index]),
            error=row.error,
            attributes=row.attributes or {},
            open=index in still_open,
        )
        for index, row in enumerate(rows)
    )
