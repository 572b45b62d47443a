"""Following: a worker keeps its lease, takes up what is published, settles for the dead, and signs the log's head.

All of it happens beside the requests, in threads, a few times a second. If it fails, nothing is lost: without renewals
the lease lapses and the worker refuses until it has caught up.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from fairlead.errors import FairleadError
from fairlead.execution import Deployment, Fairlead
from fairlead.execution.stopping import end_stopped
from fairlead.identity.people import People
from fairlead.storage.fleet import Epoch, Fleet

log = logging.getLogger("fairlead.follow")

_FAREWELL = 2.0  # seconds that chores get to come to their end
_BEAT = 0.5  # seconds between looks at the epoch; a publish waits at most this long for us

_Compiled = TypeVar("_Compiled")

Chore = Callable[[], Awaitable[object]]


class Follower(Generic[_Compiled]):
    """Keeps one process's `Fairlead` under the epoch in force.

    `compile` reads and compiles a revision (in a thread), `deploy` binds it to this loop, `forget` drops what was
    remembered of keys that may have been erased. `listen` calls back, from any thread, when there is something new, and
    gives what ends it. `people` are followed with each renewal. `chores` are further things to do, at once and then
    each with its period in seconds.
    """

    def __init__(
        self,
        fairlead: Fairlead,
        fleet: Fleet,
        worker: str,
        epoch: Epoch,
        *,
        compile: Callable[[str], _Compiled],
        deploy: Callable[[_Compiled], Deployment],
        forget: Callable[[], None],
        listen: Callable[[Callable[[], None]], Callable[[], None]],
        people: People,
        chores: tuple[tuple[float, Chore], ...] = (),
    ) -> None:
        self._fairlead = fairlead
        self._fleet = fleet
        self._worker = worker
        self._epoch = epoch
        self._compile = compile
        self._deploy = deploy
        self._forget = forget
        self._listen = listen
        self._people = people
        self._people_seen = people.generation
        self._news = asyncio.Event()
        self._ending = asyncio.Event()
        self._deafen: Callable[[], None] | None = None
        self._chores = chores
        self._host = socket.gethostname()
        self._retired: list[Deployment] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Get the first lease, then follow in the background."""
        await self._beat()
        self._tasks = [asyncio.ensure_future(self._follow())]
        loop = asyncio.get_running_loop()
        self._deafen = await asyncio.to_thread(self._listen, lambda: self._heard(loop))
        self._tasks += [asyncio.ensure_future(self._every(period, chore)) for period, chore in self._chores]

    async def stop(self) -> None:
        """Decide nothing any more, and tell the others that nobody needs to wait for this worker."""
        if self._deafen is not None:
            self._deafen()
        self._ending.set()
        self._news.set()
        if self._tasks:
            # What is under way in a thread goes on after its task is cancelled, over a database that is closed then.
            _, late = await asyncio.wait(self._tasks, timeout=_FAREWELL)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fairlead.lease.end()
        try:
            await asyncio.to_thread(self._fleet.leave, self._worker)
        except FairleadError as error:  # the rest must still be let go; others wait for our lease to lapse
            log.warning("could not say that this worker leaves: %s (%s)", error, error.why)
        for deployment in self._retired:
            deployment.context.close()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _BEAT)
            self._news.clear()
            if self._ending.is_set():
                return
            try:
                await self._beat()
            except FairleadError as error:
                log.error("cannot follow what is published: %s (%s)", error, error.why)
            except Exception:  # nobody stands above this loop: if it ended, the worker would refuse for ever
                log.exception("cannot follow what is published")

    def _heard(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it our interest
            loop.call_soon_threadsafe(self._news.set)

    async def _beat(self) -> None:
        """Renew; if something else is in force, take it up first and only then say so."""
        found = await self._renew()
        while found != self._epoch:
            compiled = await asyncio.to_thread(self._compile, found.revision)
            self._forget()
            before = self._fairlead.take_up(self._deploy(compiled))
            self._retire(before)
            self._fairlead.health.settings = self._fairlead.deployment.preferences.breaker
            end_stopped(self._fairlead)
            self._fairlead.lanes.take_up(self._fairlead.deployment.lanes)
            self._fairlead.rates.limits = self._fairlead.deployment.limits
            self._epoch = found
            log.info("epoch %d: deciding under revision %s", found.number, found.revision)
            found = await self._renew()
        if self._people.generation != self._people_seen:
            self._people_seen = self._people.generation
            end_stopped(self._fairlead)

    async def _renew(self) -> Epoch:
        return await asyncio.to_thread(
            self._fleet.renew,
            self._fairlead.lease,
            self._worker,
            host=self._host,
            pid=os.getpid(),
            seen=self._epoch.number,
            follow=self._people.follow,
        )

    def _retire(self, deployment: Deployment) -> None:
        """Actions that began under it still use it; what it holds is let go one publish later. Where only keys or stops
        have changed, its successor goes on with the same."""
        if deployment.context is self._fairlead.deployment.context:
            return
        for old in self._retired:
            old.context.close()
        self._retired = [deployment]

    async def _every(self, period: float, chore: Chore) -> None:
        while not self._ending.is_set():
            try:
                await chore()
            except Exception:  # as above
                log.exception("%s failed", getattr(chore, "__name__", "a chore"))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), period)
