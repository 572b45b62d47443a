"""What tests write lies in memory while they run, where the machine has the room: there are tens of thousands of files,
of databases and servers, that nobody looks at again, and a disk would make each of them last."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30  # bytes; a run leaves one at most
_NAME: Final = "fairlead-tests-"


def take() -> Path | None:
    """From now on, what this process and its children write for a while lies in the folder that is given. None, and
    nothing changes, where there is no such memory, where there is too little of it, where programs cannot be run from
    it, or where somebody has said by TMPDIR what to use."""
    if "TMPDIR" in os.environ or not _fits():
        return None
    _clear_away()
    folder = MEMORY / f"{_NAME}{os.getpid()}"
    folder.mkdir(mode=0o700)
    folder.chmod(0o711)  # a database server of a user of its own has to get through
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    return folder


def give_back(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _fits() -> bool:
    try:
        place = os.statvfs(MEMORY)
        available = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()
    except OSError:
        return False
    runs = not place.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK)
    return runs and place.f_bavail * place.f_frsize >= ROOM and bool(available) and int(available[0]) << 10 >= ROOM


def _clear_away() -> None:
    """What runs have left that were killed, or that failed and have been looked at since."""
    for left in MEMORY.glob(f"{_NAME}*"):
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(left.name.removeprefix(_NAME)), 0)
            except ProcessLookupError:
                give_back(left)
