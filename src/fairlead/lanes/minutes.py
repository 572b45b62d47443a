"""Minutes: what was sent to each deployment in the last minute, counted together by all workers of one machine.

A small file for each deployment, mapped into memory: a ring of seconds, each with the requests and tokens sent in it. A
minute is the running second and the sixty before it, so that whatever sixty seconds a server looks at lie within it.
Whoever counts holds the file's lock for some microseconds; nobody waits for one that has stopped while holding it.
What was counted stays when a worker ends, and is forgotten when the machine starts anew.
"""

import contextlib
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import Broken
from fairlead.models.types import PerMinute

FOLDER: Final = "minutes"
_SECONDS: Final = 61
_HEAD: Final = 16
_RING: Final = struct.Struct(f"<{3 * _SECONDS}q")  # for each second: which, requests, tokens
_SLOT: Final = struct.Struct("<3q")
_SIZE: Final = _HEAD + _RING.size
_TRIES: Final = 50
_SOON: Final = 0.05  # seconds after which a lock that was held is tried again

_Slot = tuple[int, int, int]


class Sent(Struct, frozen=True):
    """What was counted of a call: where, in which second, and how many tokens."""

    name: str
    second: int
    tokens: int


class Minutes:
    """By the name of a deployment. `part` is this machine's share of what is allowed, beside other machines."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.part = 1.0
        self._folder = folder
        self._clock = clock
        self._open: dict[str, tuple[int, mmap.mmap]] = {}

    def close(self) -> None:
        """Let go of the files."""
        for descriptor, memory in self._open.values():
            memory.close()
            os.close(descriptor)
        self._open.clear()

    def left(self, name: str, limit: PerMinute) -> tuple[int | None, int | None]:
        """How many requests and tokens may still be sent now; None where that is not limited. For people who look."""
        now = self._clock.monotonic()
        live = _live(self._map(name)[1], int(now))
        most = self._most(limit)
        return (
            None if most.requests is None else max(0, most.requests - sum(each[1] for each in live)),
            None if most.tokens is None else max(0, most.tokens - sum(each[2] for each in live)),
        )

    def wait(self, name: str, limit: PerMinute, requests: int, tokens: int) -> float:
        """Seconds until so much may be sent there; 0 if it may be now. Counts nothing."""
        now = self._clock.monotonic()
        return _wait(_live(self._map(name)[1], int(now)), self._most(limit), requests, tokens, now)

    def take(self, name: str, limit: PerMinute, requests: int, tokens: int) -> Sent | float:
        """Count what is sent there now, or say for how many seconds that has to wait.

        What is more than a whole minute's worth by itself is sent when nothing else was in the last minute.
        """
        with self._locked(name) as memory:
            if memory is None:
                return _SOON
            now = self._clock.monotonic()
            second = int(now)
            wait = _wait(_live(memory, second), self._most(limit), requests, tokens, now)
            if wait:
                return wait
            _add(memory, second, requests, tokens)
            return Sent(name, second, tokens)

    def correct(self, sent: Sent, tokens: int) -> None:
        """It has come to so many tokens. Where that cannot be noted just now, what was expected stays counted."""
        if tokens != sent.tokens:
            with self._locked(sent.name) as memory:
                if memory is not None and _slot(memory, sent.second)[0] == sent.second:
                    _add(memory, sent.second, 0, tokens - sent.tokens)

    def _most(self, limit: PerMinute) -> PerMinute:
        if self.part >= 1:
            return limit
        requests, tokens = limit.requests, limit.tokens
        return PerMinute(
            None if requests is None else max(1, int(requests * self.part)),
            None if tokens is None else max(1, int(tokens * self.part)),
        )

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[mmap.mmap | None]:
        """The memory of a deployment while no other worker changes it; None if another one keeps it to itself."""
        descriptor, memory = self._map(name)
        for _ in range(_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.sched_yield()
                continue
            try:
                yield memory
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            return
        yield None

    def _map(self, name: str) -> tuple[int, mmap.mmap]:
        found = self._open.get(name)
        if found is None:
            try:
                found = self._open[name] = self._opened(name)
            except OSError as error:
                raise Broken(
                    "what deployments were sent in the last minute cannot be counted",
                    why=f"{self._folder}: {error.strerror}",
                    mend="see to it that Fairlead may write beside its database",
                ) from error
        return found

    def _opened(self, name: str) -> tuple[int, mmap.mmap]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / blake2b(name.encode(), digest_size=12).hexdigest()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        era = blake2b(self._clock.era().encode(), digest_size=_HEAD).digest()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.pread(descriptor, _HEAD, 0) != era or os.fstat(descriptor).st_size != _SIZE:
                os.ftruncate(descriptor, 0)
                os.ftruncate(descriptor, _SIZE)
                os.pwrite(descriptor, era, 0)
            return descriptor, mmap.mmap(descriptor, _SIZE)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _live(memory: mmap.mmap, second: int) -> list[_Slot]:
    """The seconds of the last minute in which something was sent."""
    ring = _RING.unpack_from(memory, _HEAD)
    return [
        (ring[at], ring[at + 1], ring[at + 2])
        for at in range(0, 3 * _SECONDS, 3)
        if second - _SECONDS < ring[at] <= second and (ring[at + 1] or ring[at + 2])
    ]


def _slot(memory: mmap.mmap, second: int) -> _Slot:
    was, requests, tokens = _SLOT.unpack_from(memory, _place(second))
    return was, requests, tokens


def _add(memory: mmap.mmap, second: int, requests: int, tokens: int) -> None:
    was, before, counted = _slot(memory, second)
    if was != second:
        before = counted = 0
    _SLOT.pack_into(memory, _place(second), second, before + requests, max(0, counted + tokens))


def _place(second: int) -> int:
    return _HEAD + _SLOT.size * (second % _SECONDS)


def _wait(live: list[_Slot], limit: PerMinute, requests: int, tokens: int, now: float) -> float:
    longest = 0.0
    for at, most, wanted in ((1, limit.requests, requests), (2, limit.tokens, tokens)):
        if most is None:
            continue
        room = max(0, most - wanted)  # what may be there already
        there = sum(each[at] for each in live)
        if there > room:
            longest = max(longest, _until(sorted(live), at, there - room) - now)
    return longest


def _until(live: list[_Slot], at: int, surplus: int) -> float:
    """When so much of what was sent will have left the minute."""
    for each in live:
        surplus -= each[at]
        if surplus <= 0:
            return float(each[0] + _SECONDS)
    return float(live[-1][0] + _SECONDS)
