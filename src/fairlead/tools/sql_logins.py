"""Open logins to a database: a few for each person and credential, so that what one person's session holds can never be
another's; few altogether; and none for longer than it is wanted."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Generic, Protocol, TypeVar

from fairlead.clock import Clock
from fairlead.tools.types import Credential

IDLE_S: Final = 60.0
OLDEST_S: Final = 600.0
"""A right that is taken away counts for sessions at once; that a login itself was ended, only at the next one."""


class Session(Protocol):
    """What is kept open."""

    def is_fit(self) -> bool:
        """Whether another call may have it: connected, and nothing left of the last one."""
        ...

    def close(self) -> None:
        """End it, whatever state it is in."""


S = TypeVar("S", bound=Session)
_Key = tuple[str, str, str, bytes]


class _Login(Generic[S]):
    def __init__(self, key: _Key, session: S, until: float) -> None:
        self.key = key
        self.session = session
        self.until = until  # monotonic: no call gets it later
        self.idle_since = 0.0


class Logins(Generic[S]):
    """`each` is the most for one person and credential, `most` for everybody together."""

    def __init__(
        self, open_: Callable[[Credential], Awaitable[S]], clock: Clock, *, most: int, each: int, idle: float = IDLE_S
    ) -> None:
        self._open = open_
        self._clock = clock
        self._most = most
        self._each = each
        self._idle_s = idle
        self._idle: list[_Login[S]] = []  # the longest idle first
        self._busy: Counter[_Key] = Counter()
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @asynccontextmanager
    async def taken(self, person: str, credential: Credential) -> AsyncIterator[S]:
        """A session of this person's by this credential, for as long as the block lasts. Waits while all are busy."""
        secret = hashlib.sha256(credential.secret.encode()).digest()
        key = (person, credential.kind, credential.user, secret)
        while not self._has_place(key):
            await self._something_ends()
        login = self._idle_of(key)
        self._busy[key] += 1
        try:
            if login is None:
                login = _Login(key, await self._open(credential), self._until(credential))
            yield login.session
        finally:
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]
            if login is not None:
                self._back(login)
            self._tell()

    def close(self) -> None:
        """Ends what is idle. What is busy ends when it comes back."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        idle, self._idle = self._idle, []
        for login in idle:
            login.session.close()

    def count(self) -> int:
        """How many are open or being opened."""
        return len(self._idle) + self._busy.total()

    def _has_place(self, key: _Key) -> bool:
        """Whether a session may be taken now; the one that was idle longest makes room for it."""
        self._end_outlived()
        if any(login.key == key for login in self._idle):
            return True
        if self._busy[key] >= self._each:
            return False
        if self.count() >= self._most and self._idle:
            self._idle.pop(0).session.close()
        return self.count() < self._most

    def _idle_of(self, key: _Key) -> _Login[S] | None:
        found = next((each for each in reversed(self._idle) if each.key == key), None)
        if found is not None:
            self._idle.remove(found)
        return found

    def _end_outlived(self) -> None:
        """Closes the idle ones that nobody may have any more."""
        now = self._clock.monotonic()
        for login in list(self._idle):
            over = now >= min(login.until, login.idle_since + self._idle_s)
            if over or not login.session.is_fit():
                self._idle.remove(login)
                login.session.close()

    def _back(self, login: _Login[S]) -> None:
        now = self._clock.monotonic()
        if self._closed or now >= login.until or not login.session.is_fit():
            login.session.close()
            return
        login.idle_since = now
        self._idle.append(login)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._sweep)

    def _sweep(self) -> None:
        self._end_outlived()
        self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._sweep) if self._idle else None

    async def _something_ends(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _until(self, credential: Credential) -> float:
        left = (credential.expires - self._clock.now()) / 1000 if credential.expires else OLDEST_S
        return self._clock.monotonic() + min(left, OLDEST_S)
