"""Delivering alarms: signed webhooks (Standard Webhooks), tried again for a day and a half, also after a restart.

An alarm is delivered at least once: its id stays the same, so that a receiver can tell a repetition.
"""

import asyncio
import hmac
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
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
    from fairlead.controls.alarm_rows import Due

log = logging.getLogger("fairlead.alarms")

PAUSES: Final = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 36_000)  # seconds before each further try
_PATIENCE: Final = Patience(connect=5.0, first_byte=10.0, idle=5.0)
_DEADLINE: Final = 20.0
_CLAIMED: Final = 60_000  # milliseconds: longer than a try can take
_AT_ONCE: Final = 4  # to one webhook
_KEPT: Final = 30 * 86_400_000  # milliseconds, of what was given up
_TIDY_EVERY: Final = 3600.0  # seconds
_FAREWELL: Final = 3.0


Post = Callable[[str, bytes], Awaitable[None]]
"""Delivers a message with an id by another way. Raises `FairleadError`."""


class Delivery:
    """Calls the webhooks of the revision in force, and `others`: ways that are no webhooks, by the endpoint's name.
    Open it inside the loop that uses it.

    Each webhook has places of its own, and the controls take turns at them: neither a slow webhook nor a control that
    alarms without end keeps another waiting.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.controls: Controls = NO_CONTROLS
        self.others: Mapping[str, Post] = {}
        self._store = store
        self._clock = clock
        self._http = Http(clock, reach=self._reach)
        self._opened = False
        self._calls: dict[str, set[asyncio.Task[None]]] = {}
        self._tidied = float("-inf")

    async def close(self) -> None:
        """What is under way is broken off, and is tried again by who serves next."""
        await self._http.close()
        if calls := {call for each in self._calls.values() for call in each}:
            _, late = await asyncio.wait(calls, timeout=_FAREWELL)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def run(self) -> int:
        """Begin to deliver what is due. Returns how many were begun."""
        now = self._clock.monotonic()
        if not (self.controls.alarms or self.others):
            return 0
        if now - self._tidied >= _TIDY_EVERY:
            await asyncio.to_thread(self._forget)
            self._tidied = now
        if not self._opened:
            await self._http.open()
            self._opened = True
        due = await asyncio.to_thread(self._claim)
        for each in due:
            calls = self._calls.setdefault(each.endpoint, set())
            call = asyncio.ensure_future(self._deliver(each))
            calls.add(call)
            call.add_done_callback(calls.discard)
        return len(due)

    def _claim(self) -> "list[Due]":
        from fairlead.controls import alarm_rows as table

        now = self._clock.now()
        with self._store.reading() as connection:
            free = {name: _AT_ONCE - len(self._calls.get(name, ())) for name in table.endpoints_due(connection, now)}
        if not any(places > 0 for places in free.values()):
            return []
        with self._store.writing() as connection:
            return [
                due
                for name, places in sorted(free.items())
                if places > 0
                for due in table.claim(connection, name, now, now + _CLAIMED, places)
            ]

    def _forget(self) -> None:
        from fairlead.controls.alarm_rows import forget_given_up

        with self._store.writing() as connection:
            forget_given_up(connection, self._clock.now() - _KEPT)

    async def _deliver(self, due: "Due") -> None:
        try:
            async with asyncio.timeout(_DEADLINE):  # the name's resolution too
                if (other := self.others.get(due.endpoint)) is not None:
                    await other(due.id, due.body)
                else:
                    await self._post(self.controls.alarms.get(due.endpoint), due)
        except TimeoutError:
            await self._kept(due, "it did not answer in time")
        except FairleadError as error:
            await self._kept(due, f"{error.message}: {error.why}".removesuffix(": "))
        else:
            await self._kept(due, "")

    async def _kept(self, due: "Due", failure: str) -> None:
        """Write down what a try came to. If even that fails, the alarm is tried again once its claim is over."""
        try:
            await asyncio.to_thread(self._failed if failure else self._delivered, due, failure)
        except FairleadError as error:
            log.error("what came of alarm %s cannot be kept: %s (%s)", due.id, error, error.why)

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
            answer.close()  # it has taken it: whatever else it says is not waited for

    def _delivered(self, due: "Due", _: str) -> None:
        from fairlead.controls.alarm_rows import delivered

        with self._store.writing() as connection:
            delivered(connection, due.id)

    def _failed(self, due: "Due", why: str) -> None:
        from fairlead.controls.alarm_rows import failed

        log.warning("alarm %s could not be delivered to %s (try %d): %s", due.id, due.endpoint, due.tries, why)
        over = due.tries > len(PAUSES)
        next_at = None if over else self._clock.now() + PAUSES[due.tries - 1] * 1000
        with self._store.writing() as connection:
            failed(connection, due.id, why, next_at)

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
