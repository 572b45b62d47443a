"""Several worker processes on one socket: started by fork, watched, and started again when one dies."""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

log = logging.getLogger("fairlead.workers")

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_RESTART_PAUSE = 1.0  # seconds between the starts of a worker that dies at once


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
    """The parent of `count` processes that each run `work()`. It holds no database connection and no thread, so that
    forking is safe."""

    def __init__(self, count: int, work: Callable[[], int]) -> None:
        self._count = count
        self._work = work
        self._pids: dict[int, float] = {}
        self._stopping = False

    def run(self) -> int:
        """Keep the workers running until SIGTERM or SIGINT; then let them drain. Returns the exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for _ in range(self._count):
            self._spawn()
        while self._pids:
            try:
                pid, status = os.wait()
            except InterruptedError:
                continue
            except ChildProcessError:
                break
            started = self._pids.pop(pid, None)
            if started is None or self._stopping:
                continue
            log.error("worker %d ended with status %d; starting another", pid, os.waitstatus_to_exitcode(status))
            time.sleep(max(0.0, _RESTART_PAUSE - (time.monotonic() - started)))
            if not self._stopping:
                self._spawn()
        return 0

    def _spawn(self) -> None:
        # No signal may come before the parent knows the child and the child has let go of the parent's handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        pid = os.fork()
        if pid:
            self._pids[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        status = 1
        try:
            status = self._work()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in self._pids:
            os.kill(pid, signal.SIGTERM)
