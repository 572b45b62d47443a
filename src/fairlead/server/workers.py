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

    def __init__(self, works: Sequence[Callable[[], int]]) -> None:
        self._works = works
        self._pids: dict[int, tuple[float, Callable[[], int]]] = {}
        self._stopping = False

    def run(self) -> int:
        """Keep the workers running until SIGTERM or SIGINT; then let them drain. Returns the exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for work in self._works:
            self._spawn(work)
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
            started, work = ended
            log.error("worker %d ended with status %d; starting another", pid, os.waitstatus_to_exitcode(status))
            time.sleep(max(0.0, _RESTART_PAUSE - (time.monotonic() - started)))
            if not self._stopping:
                self._spawn(work)
        return 0

    def _spawn(self, work: Callable[[], int]) -> None:
        # No signal may come before the parent knows the child and the child has let go of the parent's handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._pids[pid] = time.monotonic(), work
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        _stop_without(parent)
        status = 1
        try:
            status = work()
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
