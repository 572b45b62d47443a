"""Time and randomness, passed in so that tests and replays are exact. Nothing else in Fairlead reads a clock."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where an action gets its time and its randomness from."""

    def now(self) -> int:
        """Wall-clock time, in milliseconds since 1970 (UTC). May jump; used for records, never for durations."""

    def monotonic(self) -> float:
        """Seconds that only grow and go on while the machine sleeps. Used for durations, deadlines and leases."""

    def era(self) -> str:
        """Since when `monotonic` counts: two processes may compare their seconds where this is the same."""

    def random_bytes(self, count: int) -> bytes:
        """Unpredictable bytes, fit for keys and identifiers."""


class SystemClock:
    """The machine's own clock and entropy."""

    def __init__(self) -> None:
        self._pool = b""
        self._taken = 0
        self._owner = 0
        self._era = ""
        self._lock = threading.Lock()

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """By CLOCK_BOOTTIME where there is one, else by CLOCK_MONOTONIC."""
        return time.clock_gettime(_SLEEPLESS)

    def era(self) -> str:
        """The start of the machine that the kernel names. Where it names none, one of this clock's own: no other
        process may compare with it."""
        if not self._era:
            self._era = _start_of_machine() or os.urandom(16).hex()
        return self._era

    def random_bytes(self, count: int) -> bytes:
        """From the kernel, for many calls at once. Threads may call it, and a forked child never repeats its
        parent's."""
        # Asking the kernel lets go of the interpreter, which costs more than the answer: so ask for many at once.
        with self._lock:
            end = self._taken + count
            if end > len(self._pool) or self._owner != os.getpid():  # a forked child must not repeat its parent's
                self._pool, self._owner, end = os.urandom(max(_POOL, count)), os.getpid(), count
            self._taken = end
            return self._pool[end - count : end]


_POOL = 4096
# A suspended laptop must find its leases lapsed when it wakes: CLOCK_MONOTONIC would have stood still.
_SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _start_of_machine() -> str:
    """Which start of which machine this is, "" where the kernel does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/time')}"  # a container may count from elsewhere
    except OSError:
        return ""


def new_id(clock: Clock, prefix: str) -> str:
    """A sortable identifier: the prefix, the milliseconds since 1970 and 64 random bits, in hexadecimal."""
    return f"{prefix}_{clock.now():012x}{clock.random_bytes(8).hex()}"


def day_of(at: int) -> str:
    """The ISO day, in UTC, of a moment in milliseconds since 1970."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
