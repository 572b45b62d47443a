"""The workers on one database, and how what is published reaches all of them before it counts.

Everything that live workers must notice (a revision, a revoked key, an erased person) raises one number, the epoch. A
worker renews its lease by saying which epoch it has seen; one that has not seen the latest gets no renewal, and once
its lease has lapsed it decides nothing. So after `wait_until_seen`, nobody decides by the old state: each worker has
seen the new one or has lapsed. Both sides count the five seconds on their own monotonic clocks, the worker from before
its renewal, the publisher from after it, so that a wall clock that jumps changes nothing.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE: Final = 5.0  # seconds
_MARGIN: Final = 0.25  # what a publisher waits beyond a lease
_POLL: Final = 0.05


class Epoch(Struct, frozen=True):
    """What is in force: the number that grows with each announcement, and the published revision ("" for none)."""

    number: int = 0
    revision: str = ""


class Seen(Struct, frozen=True):
    """How an announcement went: the workers that have seen it, those whose lease lapsed, and those still out."""

    acknowledged: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Member(Struct, frozen=True):
    """A worker as the database knows it. Times in milliseconds since 1970."""

    id: str
    host: str
    pid: int
    started_at: int
    seen_epoch: int
    renewals: int
    lease_until: int


class Lease:
    """A worker's leave to decide. Lapses five seconds after the start of its last successful renewal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")

    def valid(self) -> bool:
        """Whether this worker may still decide. By the monotonic clock, so that a leap of the wall clock extends
        nothing."""
        return self._clock.monotonic() < self._until

    def lapsed(self) -> bool:
        """Whether it was held, and may be again: neither before the first renewal nor after `end`."""
        return float("-inf") < self._until <= self._clock.monotonic()

    def extend(self, started: float) -> None:
        """A renewal that began at `started` (monotonic seconds) went through."""
        self._until = max(self._until, started + LEASE)

    def end(self) -> None:
        """Decide nothing any more."""
        self._until = float("-inf")


class Fleet:
    """Reads and writes the epoch and the workers' rows. Blocking: call it in a thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def current(self) -> Epoch:
        """What is in force now."""
        with self._store.reading() as connection:
            return _read(connection)

    def renew(
        self,
        lease: Lease,
        worker: str,
        *,
        host: str,
        pid: int,
        seen: int,
        follow: Callable[[], None] | None = None,
    ) -> Epoch:
        """Say that this worker decides by epoch `seen`; extends the lease if that is the one in force.

        `follow` takes up what must never be older than a lease: it reads after the renewal has begun, and the lease is
        extended only once it has returned. Returns what is in force: if it is another, load that and renew again.
        """
        from sqlalchemy import insert, update

        from fairlead.storage.schema import worker as table

        started = self._clock.monotonic()
        now = self._clock.now()
        with self._store.writing() as connection:
            found = _read(connection)
            if found.number == seen:
                values: dict[str, Any] = {"seen_epoch": seen, "lease_until": now + int(LEASE * 1000)}
                mine = update(table).where(table.c.id == worker)
                if not connection.execute(mine.values(renewals=table.c.renewals + 1, **values)).rowcount:
                    values |= {"id": worker, "host": host, "pid": pid, "started_at": now, "renewals": 1}
                    connection.execute(insert(table).values(values))
        if found.number == seen:
            if follow is not None:
                follow()
            lease.extend(started)
        return found

    def leave(self, worker: str) -> None:
        """This worker decides nothing any more: nobody needs to wait for it."""
        from sqlalchemy import delete

        from fairlead.storage.schema import worker as table

        with self._store.writing() as connection:
            connection.execute(delete(table).where(table.c.id == worker))

    def members(self) -> tuple[Member, ...]:
        """The workers that have not left, dead ones included until somebody has waited for them."""
        from sqlalchemy import select

        from fairlead.storage.schema import worker as table

        with self._store.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.started_at))
            return tuple(Member(**row) for row in rows.mappings())

    def announce(self, connection: "Connection", revision: str | None = None) -> int:
        """Raise the epoch in the caller's own transaction, with another revision if one is given. Returns the number.

        Then call `wait_until_seen`: only after it does the change count everywhere.
        """
        from sqlalchemy import delete, insert

        from fairlead.storage.schema import epoch as table

        found = _read(connection)
        number = found.number + 1
        connection.execute(delete(table))
        values = {"id": 1, "number": number, "revision": found.revision if revision is None else revision}
        connection.execute(insert(table).values(values))
        self._store.database.announce(connection)
        return number

    def wait_until_seen(self, epoch: int, *, timeout: float = 30.0) -> Seen:
        """Wait until every live worker decides by this epoch or a later one. Forgets workers whose lease has lapsed.

        Whoever is left after `timeout` seconds is reported as missing. That takes a worker that renews an older epoch,
        which `renew` does not allow, so it points to a broken clock.
        """
        deadline = self._clock.monotonic() + timeout
        quiet = _Quiet()
        lapsed: list[str] = []
        while True:
            now, members = self._clock.monotonic(), self.members()
            behind = [member for member in members if member.seen_epoch < epoch]
            quiet_for = {member: quiet.seconds(member, now) for member in behind}
            lapsed += [m.id for m, seconds in quiet_for.items() if seconds >= LEASE + _MARGIN and self._forget(m)]
            waiting = [member.id for member in behind if member.id not in lapsed]
            if not waiting or now >= deadline:
                done = tuple(member.id for member in members if member.seen_epoch >= epoch)
                return Seen(done, tuple(lapsed), tuple(waiting))
            time.sleep(_POLL)

    def _forget(self, member: Member) -> bool:
        """Deletes a worker's row, unless it has renewed since: then the next publisher must find it."""
        from sqlalchemy import delete

        from fairlead.storage.schema import worker as table

        unchanged = (table.c.id == member.id) & (table.c.renewals == member.renewals)
        with self._store.writing() as connection:
            return connection.execute(delete(table).where(unchanged)).rowcount > 0


class _Quiet:
    """For how long each worker has not renewed, by the publisher's own clock."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}

    def seconds(self, member: Member, now: float) -> float:
        renewals, since = self._last.get(member.id, (-1, now))
        if renewals != member.renewals:
            self._last[member.id] = member.renewals, now
            return 0.0
        return now - since


def _read(connection: "Connection") -> Epoch:
    from sqlalchemy import select

    from fairlead.storage.schema import epoch as table

    row = connection.execute(select(table.c.number, table.c.revision)).first()
    return Epoch(row.number, row.revision) if row else Epoch()
