"""Programs of this checkout as processes of their own, without the second that each takes to import itself.

They are forked from one that has imported Fairlead and waits: `command` gives what to start in place of the program's
own command line. It gets that program's arguments, variables, folder and streams, hears its signals, and ends as it
does. What is about the start of the real program (what it imports, how fast it is there) starts that instead.
"""

import atexit
import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent / "src"
_RUN: Final = os.getpid()  # of the process that collected the tests: its forks have taken this over
_PATIENCE: Final = 180.0  # seconds for it to come up
_SHIM: Final = HERE / "forked" / "shim.py"


def command(*arguments: str) -> list[str]:
    """The command line that stands for `python ARGUMENTS`: `-m MODULE ...`, `-c PROGRAM ...` or `FILE ...`."""
    return [sys.executable, "-I", "-S", str(_SHIM), str(_listening()), *arguments]


@cache
def _listening() -> Path:
    """Where the process listens that programs are forked from. There is one for all workers of a test run, started by
    who needs it first; it ends when the last of them has."""
    folder = Path(tempfile.gettempdir(), f"fairlead-programs-{_RUN}")
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / "socket"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _hold(place):
            place.unlink(missing_ok=True)
            _start(place)
            until = time.monotonic() + _PATIENCE
            while not _hold(place):
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.02)
    return place


def _start(place: Path) -> None:
    with (place.parent / "log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, str(HERE / "forked" / "parent.py"), str(place)],
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
            start_new_session=True, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        )  # fmt: skip
    started.returncode = 0  # it outlives whoever started it


def _hold(place: Path) -> bool:
    """Keeps it alive for as long as this process lives."""
    held = socket.socket(socket.AF_UNIX)
    try:
        held.connect(str(place))
    except OSError:
        held.close()
        return False
    held.sendall(b"hold")
    atexit.register(held.close)
    return True
