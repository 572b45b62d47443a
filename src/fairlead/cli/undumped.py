"""No image of this process's memory is ever written: what people ask is in it, and so is the master key."""

import ctypes
import resource
import sys
from contextlib import suppress
from typing import Final

_SET_DUMPABLE: Final = 4  # prctl(2)


def leave_no_dump() -> None:
    """Of this process, and of those that it forks. On Linux this also holds where a program takes the dumps, which no
    limit of sizes keeps it from (core(5)), and keeps others of the same user from reading its memory."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
