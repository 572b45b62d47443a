"""Several worker processes on one socket: started by fork, watched, and started again when one dies."""

import ctypes
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

log = logging.getLogger("fairlead.workers")

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_MOST_FAILURES = 5  # at the start of one work, one after the other, before any of it has settled
_SETTLED = 10.0  # seconds after which a worker is taken to have started
_RESTART_PAUSE = 1.0  # seconds between the starts of a worker that dies at once
_SET_PDEATHSIG = 1  # prctl(2)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that worker processes share. Raises `OSError` if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(True)
    return sock


class Workers:
    """The parent of processes that each do one of these works. It holds no database connection and no thread, so that
    forking is safe."""

    def __init__(self, works: Sequence[Callable[[], int]], pause: float = _RESTART_PAUSE) -> None:
        """`pause` is how many seconds lie at least between two starts of a worker that dies at once."""
        self._works = works
        self._pause = pause
        self._pids: dict[int, tuple[float, int]] = {}
        self._failures: dict[int, int] = {}  # by the place of the work; none once it has settled
        self._settled: set[int] = set()
        self._stopping = False

    def run(self) -> int:
        """Keep the workers running until SIGTERM or SIGINT; then let them drain. Returns the exit status: 1 where one
        never came to start, so that whoever watches this process hears of it."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for number in range(len(self._works)):
            self._spawn(number)
        given_up = False
        while self._pids:
            try:
                pid, status = os.wait()
            except InterruptedError:
                continue
            except ChildProcessError:
                break
            ended = self._pids.pop(pid, None)
            if ended is None or self._stopping:
                continue
            started, number = ended
            code = os.waitstatus_to_exitcode(status)
            if self._never_starts(number, code, time.monotonic() - started):
                log.error(
                    "worker %d ended with status %d, as %d before it at their start", pid, code, _MOST_FAILURES - 1
                )
                log.error("the server ends: what stopped the worker is said above; mend it, and start again")
                given_up = True
                self._stop(signal.SIGTERM, None)
                continue
            log.error("worker %d ended with status %d; starting another", pid, code)
            time.sleep(max(0.0, self._pause - (time.monotonic() - started)))
            if not self._stopping:
                self._spawn(number)
        return 1 if given_up else 0

    def _never_starts(self, number: int, code: int, lived: float) -> bool:
        """Whether this work has failed at its start too often. One that has once settled is started again for ever:
        what failed it later, a database that is away, may pass."""
        if lived >= _SETTLED or number in self._settled:
            self._settled.add(number)
            return False
        self._failures[number] = self._failures.get(number, 0) + 1 if code else 0
        return self._failures[number] >= _MOST_FAILURES

    def _spawn(self, number: int) -> None:
        # No signal may come before the parent knows the child and the child has let go of the parent's handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._pids[pid] = time.monotonic(), number
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        _stop_without(parent)
        status = 1
        try:
            status = self._works[number]()
        except BaseException as error:
            log.error("a worker failed", exc_info=error)
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._pids:
            os.kill(pid, signal.SIGTERM)


def _stop_without(parent: int) -> None:
    """Have this process told to stop once its parent is gone, however that came: it would hold the port, and nobody
    would start it again. Linux alone offers it."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before that
        os.kill(os.getpid(), signal.SIGTERM)
