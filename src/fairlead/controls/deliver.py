"""Delivering alarms: signed webhooks (Standard Webhooks), tried again for a day and a half, also after a restart.

An alarm is delivered at least once: its id stays the same, so that a receiver can tell a repetition.
"""

import asyncio
import hmac
import logging
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from fairlead.clock import Clock
from fairlead.controls.compile import NO_CONTROLS, Alarm, Controls
from fairlead.errors import FairleadError, Upstream
from fairlead.net.addresses import pinned
from fairlead.net.http import Http, Patience
from fairlead.net.target import Target, target_of
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.controls.rows import Due

log = logging.getLogger("fairlead.alarms")

PAUSES: Final = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 36_000)  # seconds before each further try
_PATIENCE: Final = Patience(connect=5.0, first_byte=10.0, idle=5.0)
_DEADLINE: Final = 15.0
_CLAIMED: Final = 60_000  # milliseconds: longer than a try can take
_AT_ONCE: Final = 8
_MOST_BYTES: Final = 64 << 10


class Delivery:
    """Calls the webhooks of the revision in force. Open it inside the loop that uses it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.controls: Controls = NO_CONTROLS
        self._store = store
        self._clock = clock
        self._http = Http(clock, reach=self._reach)
        self._opened = False

    async def close(self) -> None:
        await self._http.close()

    async def run(self) -> int:
        """Deliver what is due. Returns how many were delivered."""
        if not self.controls.alarms:
            return 0
        if not self._opened:
            await self._http.open()
            self._opened = True
        due = await asyncio.to_thread(self._claim)
        return sum(await asyncio.gather(*map(self._deliver, due)))

    def _claim(self) -> "list[Due]":
        from fairlead.controls import rows as table

        now = self._clock.now()
        with self._store.reading() as connection:
            if not table.any_due(connection, now):
                return []
        with self._store.writing() as connection:
            return table.claim(connection, now, now + _CLAIMED, _AT_ONCE)

    async def _deliver(self, due: "Due") -> bool:
        try:
            await self._post(self.controls.alarms.get(due.endpoint), due)
        except FairleadError as error:
            await asyncio.to_thread(self._failed, due, f"{error.message}: {error.why}".removesuffix(": "))
            return False
        await asyncio.to_thread(self._delivered, due)
        return True

    async def _post(self, alarm: Alarm | None, due: "Due") -> None:
        if alarm is None or not alarm.secret:
            raise Upstream(f"the alarm {due.endpoint} is not declared any more, or its secret is not set here")
        headers = signed(alarm.secret, due.id, self._clock.now() // 1000, due.body)
        deadline = self._clock.monotonic() + _DEADLINE
        async with await self._http.post_json(
            alarm.address.url, headers, due.body, deadline=deadline, patience=_PATIENCE, subject=alarm.name
        ) as answer:
            if not 200 <= answer.status < 300:
                raise Upstream(f"it answered with status {answer.status}")
            await answer.read(_MOST_BYTES)

    def _delivered(self, due: "Due") -> None:
        from fairlead.controls import rows as table

        with self._store.writing() as connection:
            table.delivered(connection, due.id)

    def _failed(self, due: "Due", why: str) -> None:
        from fairlead.controls import rows as table

        log.warning("alarm %s could not be delivered to %s (try %d): %s", due.id, due.endpoint, due.tries, why)
        over = due.tries > len(PAUSES)
        next_at = 0 if over else self._clock.now() + PAUSES[due.tries - 1] * 1000
        with self._store.writing() as connection:
            table.failed(connection, due.id, why, next_at)

    async def _reach(self, target: Target) -> str:
        inside = any(
            each.inside and target_of(each.address.url).server == target.server
            for each in self.controls.alarms.values()
        )
        return await pinned(target, inside=inside)


def signed(secret: bytes, id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of a message: its id, its time and a signature over both and the body."""
    code = hmac.digest(secret, f"{id}.{seconds}.".encode() + body, sha256)
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{b64encode(code).decode()}",
    }
