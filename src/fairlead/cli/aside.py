"""Work in a child process, whose memory goes with it: for what a process that stays should not remember."""

import os
import sys
import traceback
from collections.abc import Callable

import typer

from fairlead.cli.errors import BROKEN, told


def aside(work: Callable[[], bytes]) -> bytes:
    """What `work` gives, done in a fork of this process, which must have no other thread yet.

    What goes wrong is told by the child, as by any command; then this raises `typer.Exit` with the same status.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = BROKEN
        try:
            status = _done(work, writing)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as results:
        result = results.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise typer.Exit(BROKEN if status < 0 else status)
    return result


def _done(work: Callable[[], bytes], writing: int) -> int:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 nobody stands above: the process ends here
        if "--debug" in sys.argv:
            traceback.print_exc()
        return told(error)
    with os.fdopen(writing, "wb") as results:
        results.write(result)
    return 0
