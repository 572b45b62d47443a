"""Threads of a system's own, for functions that wait. A function that never returns takes one of them and nothing else:
it neither starves others nor keeps the process from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """What came of a function: a value, or what it raised."""

    value: Any = None
    error: BaseException | None = None


Job = tuple["Future[Outcome]", Callable[[], Any]]


class Threads:
    """At most `most` threads, started as they are needed. What is given when all are taken waits its turn."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._started = 0
        self._free = 0
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()

    def run(self, function: Callable[[], Any]) -> "Future[Outcome]":
        """Begin a function. The future never holds an exception, and can be cancelled until the function has begun."""
        future: Future[Outcome] = Future()
        with self._lock:
            self._jobs.put((future, function))
            if self._free:
                self._free -= 1
            elif self._started < self._most:
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        return future

    def close(self) -> None:
        """Let the threads end, each when its function has."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, function = job
            if future.set_running_or_notify_cancel():
                future.set_result(_outcome(function))
            del job, future, function  # while it waits, nothing of the last call is kept
            with self._lock:
                self._free += 1


def _outcome(function: Callable[[], Any]) -> Outcome:
    try:
        return Outcome(function())
    except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
        return Outcome(error=error)
