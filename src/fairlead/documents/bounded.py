"""A program that reads files of strangers: a process of its own with bounds on time and memory, which opens no file,
knows no secret and is ended when something is too much for it.

It gets one message after another on its standard input and answers each on its standard output. What is thrown in an
unforeseen way ends it, and whoever waits starts another one.
"""

import contextlib
import logging
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

SECONDS: Final = 30
"""Of a processor's time for one message: what it waits for its turn on a busy machine does not count."""

PATIENCE: Final = 10.0 * SECONDS
"""Seconds by the clock for one message, should it wait for its turn, or for something that does not come."""

_MEMORY: Final = 1 << 30
_LENGTH: Final = struct.Struct(">Q")
_PROGRAM: Final = "import sys, importlib; sys.path[:] = sys.argv[2:]; importlib.import_module(sys.argv[1]).main()"
_MOST_ANSWER: Final = 32 << 20


class Ended(Exception):
    """The program gave no answer: it took too long (`late`), or more than it may, or what it read has brought it
    down."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "ended")
        self.late = late


class Bounded:
    """The process in which `module` answers, by its function `main`. Started when it is first asked."""

    def __init__(self, module: str, patience: float = PATIENCE) -> None:
        self._module = module
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def asked(self, message: bytes) -> bytes:
        """The answer. Raises `Ended`, and where nothing or not all of it has come in time; the next message starts
        another process."""
        process = self._running()
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()  # whatever is waited for ends with it

        deadline = threading.Timer(self._patience, end)
        deadline.daemon = True
        deadline.start()
        try:
            answer = _exchanged(process, message)
        finally:
            deadline.cancel()
        if not answer or late.is_set():  # whatever came in the last moment: the next one needs another process
            self._end()
        if not answer:
            raise Ended(late=late.is_set())
        return answer

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, self._module, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()


def _exchanged(process: "subprocess.Popen[bytes]", message: bytes) -> bytes:
    """The answer to a message, nothing where it did not come whole."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(_LENGTH.pack(len(message)) + message)
        process.stdin.flush()
    head = process.stdout.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    answer = process.stdout.read(length) if 0 < length <= _MOST_ANSWER else b""
    return answer if len(answer) == length else b""


def answer_all(answer: Callable[[bytes], bytes]) -> None:
    """What the process does: answer until there is nothing more to read, each message within the bounds."""
    logging.disable(logging.CRITICAL)  # libraries tell of every oddity
    _bound()
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := given.read(_LENGTH.size):
        _bound_time()
        said = answer(given.read(_LENGTH.unpack(head)[0]))
        answers.write(_LENGTH.pack(len(said)) + said)
        answers.flush()


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        try:
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # a system that does not bound this
            continue


def _bound_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS + 1, hard))
