"""Which context an action reads: the revision's own, or the one under which its piece of work began.

Agents that do one thing together name it (`x-fairlead-work`), and see the same versions of every page from the first
action to the last, whatever is published meanwhile. Rights stay those of now: see `context.live_rights`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from fairlead.clock import Clock
from fairlead.context import Context
from fairlead.costs.ledger import Action
from fairlead.costs.work import is_work
from fairlead.errors import Overloaded
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.storage.pin_rows import Pin
from fairlead.storage.store import Away, Store

_OPEN: Final = 8  # older snapshots that a worker has in memory, 40 bytes a section each
_REMEMBERED: Final = 10_000
_TOUCHED_EVERY: Final = 600_000  # milliseconds


class Pins:
    """All of a deployment, as one process knows them. `keep` is in milliseconds, and replaced when another revision
    comes into force; 0 pins nothing. Belongs to one event loop, but for what is blocking."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.keep = 0
        self._store = store
        self._clock = clock
        self._epoch = 0
        self._known: OrderedDict[str, Pin] = OrderedDict()
        self._open: OrderedDict[tuple[str, str], asyncio.Task[Context]] = OrderedDict()

    async def of(self, work: str, deployment: Deployment, *, decides: Callable[[Deployment], bool]) -> Pin:
        """What a piece of work is pinned to: what is in force now, if this is its first action. Raises `Overloaded`,
        also where the work would begin under a deployment by which this worker `decides` no more: whoever ended its
        pin meanwhile is not to find it pinned again to what they took back."""
        now = self._clock.now()
        known = self._known.get(work)
        if known is None or now - known.used_at >= _TOUCHED_EVERY:
            epoch = self._epoch
            known = await asyncio.to_thread(
                self._kept,
                Pin(work, deployment.context.snapshot, deployment.revision, now, now),
                partial(decides, deployment),
            )
            if epoch != self._epoch:  # it may have been ended while it was read: whoever goes on looks again
                return known
            self._known[work] = known
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    async def tried(self, work: str, deployment: Deployment) -> Pin:
        """As `of`, for what is only estimated: nothing is pinned by it."""
        now = self._clock.now()
        new = Pin(work, deployment.context.snapshot, deployment.revision, now, now)
        return await asyncio.to_thread(self._found, new)

    async def opened(self, snapshot: str, deployment: Deployment) -> Context:
        """An older snapshot, under the rights of the deployment. Of many who want it one reads it."""
        key = (snapshot, deployment.revision)
        task = self._open.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._open[key] = asyncio.ensure_future(asyncio.to_thread(self._read, snapshot, deployment))
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)  # its thread ends with the last action that searches in it
        self._open.move_to_end(key)
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Drop what this process knows: another epoch has begun, and a pin may have been ended."""
        self._epoch += 1
        self._known.clear()

    def sweep(self) -> None:
        """Let go of work that nobody has gone on with for as long as it is kept. Blocking."""
        from fairlead.storage import pin_rows as table

        before = self._clock.now() - self.keep
        with self._store.reading() as connection:
            if not table.is_any_over(connection, before):
                return
        with self._store.writing() as connection:
            table.forget(connection, before)

    def _read(self, snapshot: str, deployment: Deployment) -> Context:
        if not snapshot:
            return Context()
        names_items = deployment.policy.names_items
        return Context.open(self._store, snapshot, names_items=names_items, live=deployment.context)

    def _found(self, otherwise: Pin) -> Pin:
        from fairlead.storage import pin_rows as table

        with self._store.reading() as connection:
            return table.one(connection, otherwise.id) or otherwise

    def _kept(self, pin: Pin, decides: Callable[[], bool]) -> Pin:
        from fairlead.storage import pin_rows as table

        try:
            with self._store.writing() as connection:
                if not decides() and table.one(connection, pin.id) is None:
                    raise Overloaded(
                        "the workspace changed while this work was about to begin",
                        why="it would have begun under pages that are no longer in force",
                        mend="send it again: it begins under those that are",
                        step="stitch",
                    )
                found = table.keep(connection, pin)
                table.used(connection, pin.id, pin.used_at)
        except Away as error:
            raise Overloaded(
                "nobody can tell just now which context this work began under",
                why=error.why,
                mend="try again shortly; if it lasts, run `fairlead doctor`",
                step="stitch",
            ) from error
        return Pin(found.id, found.snapshot, found.revision, found.pinned_at, pin.used_at)


async def context_of(fairlead: Fairlead, deployment: Deployment, action: Action) -> Context:
    """The context that an action reads. Raises `Overloaded`."""
    if not is_work(action.within) or not fairlead.pins.keep:
        return deployment.context
    with action.trace.waiting():
        if action.arrival.dry_run:
            pin = await fairlead.pins.tried(action.within, deployment)
        else:
            pin = await fairlead.pins.of(action.within, deployment, decides=fairlead.decides_under)
        action.pin = pin
        if pin.snapshot == deployment.context.snapshot:
            return deployment.context
        return await fairlead.pins.opened(pin.snapshot, deployment)
