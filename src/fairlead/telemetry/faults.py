"""A fault as a log may have it: what kind it is and where it was, without a word that it says.

What an exception says is often made of the values that it broke on, and these may be a person's. Of errors of our own
their code remains, of the system's what the kernel calls them.
"""

import traceback
from collections.abc import Iterator

from fairlead.errors import FairleadError

_MOST = 10  # errors that led to one another


def fault_text(fault: BaseException | None) -> str:
    """The last of them first, each with the lines of code that it went through."""
    return "\n".join(_lines(fault, _MOST))


def _lines(fault: BaseException | None, most: int) -> Iterator[str]:
    if fault is None or most == 0:
        return
    yield f"{type(fault).__module__}.{type(fault).__qualname__}{_words(fault)}"
    for frame in traceback.extract_tb(fault.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"
    if isinstance(fault, BaseExceptionGroup):
        for each in fault.exceptions:
            yield from _lines(each, most - 1)
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    if before is not None:
        yield "after"
        yield from _lines(before, most - 1)


def _words(fault: BaseException) -> str:
    if isinstance(fault, FairleadError):
        return f": {fault.code}"
    if isinstance(fault, OSError) and fault.strerror:
        return f": {fault.strerror}"
    return ""
