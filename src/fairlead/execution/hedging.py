"""Hedged requests: where an answer does not begin in time, the same request goes to the next candidate as well.

Each is an attempt with its own intent, hold and settlement. Whose first piece comes first, their reply is let out; the
others are ended, and billed as far as they went. Only for calls of models, and only where a task type asks for it: see
`tasks.hedges`.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from fairlead.costs.ledger import Action
from fairlead.costs.outcomes import HEDGED
from fairlead.errors import Broken, Denied, OverBudget, Overloaded, Upstream, Withheld
from fairlead.execution.at_cap import reservation
from fairlead.execution.balancing import Load
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.dropping import leave_out
from fairlead.execution.prepare import Decided
from fairlead.execution.release import Release
from fairlead.execution.sending import Ready, ready, taken
from fairlead.execution.stopping import refuse_ended
from fairlead.lanes.slots import Slots
from fairlead.models.tally import likely_tokens
from fairlead.models.types import Chunk, Usage
from fairlead.policy.types import Hit
from fairlead.routing import Candidate, Dropped
from fairlead.tasks.hedges import Hedge

_EVER: Final = None


class Unheard:
    """What has come of an attempt that has not begun to answer: what it was sent, and nothing else."""

    def __init__(self, size: int) -> None:
        self._size = size

    def usage_so_far(self) -> Usage:
        """Its input, a token for four bytes."""
        return Usage(input=likely_tokens(self._size), estimated=True)

    def hits(self) -> frozenset[Hit]:
        """None: nothing was read."""
        return frozenset()

    def reply_text(self) -> str:
        """Nothing."""
        return ""


class Racer:
    """One of the attempts at the same answer. `number` is the attempt's, `error` what it failed with."""

    def __init__(self, sent: Ready, number: int, load: Load | None, slots: Slots | None) -> None:
        self.sent = sent
        self.number = number
        self.load = load
        self.slots = slots
        self.error: Upstream | None = None
        self.chunks: AsyncGenerator[Chunk] = sent.answer()
        self.first = asyncio.ensure_future(_first_of(self.chunks))

    @property
    def name(self) -> str:
        """The model that is asked."""
        return self.sent.candidate.model.name

    async def end(self) -> None:
        """Its server stops working."""
        await asyncio.wait((self.first,))
        if not self.first.cancelled():
            self.first.exception()  # whatever it was: nobody waits for it any more
        await self.chunks.aclose()


async def _first_of(chunks: AsyncGenerator[Chunk]) -> Chunk | None:
    async for chunk in chunks:
        return chunk
    return None


class Race:
    """One call, and those sent beside it."""

    def __init__(
        self, fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, hedge: Hedge
    ) -> None:
        self._fairlead = fairlead
        self._deployment = deployment
        self._action = action
        self._decided = decided
        self._hedge = hedge
        self._task = decided.task.type.name
        self._racers: list[Racer] = []

    async def run(self, sent: Ready, release: Release) -> None:
        """Let out the reply of who answers first. Raises what the first attempt failed with if none does."""
        clock, times = self._fairlead.clock, self._fairlead.first_bytes
        times.begins(self._task, self._hedge)
        began, lead = clock.monotonic(), Racer(sent, self._action.in_flight, None, None)
        self._racers.append(lead)
        try:
            winner = await self._winner(lead)
            times.note(self._task, lead.name, clock.monotonic() - began)
            if winner is not lead:
                self._leave_to(winner, lead, release)
            chunk = winner.first.result()
            if chunk is not None:
                await release.push(chunk)
            await taken(winner.chunks, release)
        finally:
            await self._ended()

    async def _winner(self, lead: Racer) -> Racer:
        """Who answers first."""
        patience = self._patience(lead)
        while True:
            running = [racer for racer in self._racers if racer.error is None]
            done, _ = await asyncio.wait(
                [racer.first for racer in running], timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for racer in running:
                if racer.first in done:
                    error = racer.first.exception()
                    if not isinstance(error, Upstream):
                        return racer  # with a piece of an answer, or with what nobody foresaw
                    racer.error = error
            if lead.error is not None and all(racer.error is not None for racer in self._racers):
                raise lead.error
            if not done:
                patience = self._patience(lead) if await self._sent_beside(lead) else _EVER

    def _patience(self, lead: Racer) -> float | None:
        """Seconds for which to wait before another one is sent; None for as long as it takes."""
        if len(self._racers) > self._hedge.at_most:
            return _EVER
        after = self._hedge.after
        return self._fairlead.first_bytes.usual(self._task, lead.name) if after is None else after

    async def _sent_beside(self, lead: Racer) -> bool:
        """Send the request to one more candidate, if there is one and load and budget allow it."""
        times = self._fairlead.first_bytes
        if self._is_outdated() or not times.take(self._task):
            return False
        found = self._taken_up(lead)
        racer = None if found is None else await self._racer(lead, *found)
        if racer is None:
            times.give_back(self._task)
            return False
        self._racers.append(racer)
        if HEDGED not in self._action.flags:
            self._action.flags.append(HEDGED)
        return True

    async def _racer(self, lead: Racer, candidate: Candidate, load: Load | None, slots: Slots | None) -> Racer | None:
        """Hold what the attempt may cost, and begin it; None where that is not to be."""
        action, racer, number = self._action, None, 0
        try:
            number = await action.reserve_beside(reservation(self._deployment, action, self._decided, candidate))
            if not self._is_outdated():
                sent = ready(self._deployment, action, self._decided, candidate, lead.sent.call.deadline, load)
                assert action.beside is not None
                action.beside.sending(number, Unheard(sent.call.request.size))
                racer = Racer(sent, number, load, slots)
        except (Broken, Denied, OverBudget, Overloaded, Withheld) as error:  # as when it cannot be redacted for it
            action.trace.note(not_hedged=error.code)
        finally:
            if racer is None:
                self._let_go(candidate, load, slots)
                if number:
                    action.give_up(number)
        return racer

    def _is_outdated(self) -> bool:
        """Whether something else is in force than what the call was decided under: then nothing more is sent.
        Raises `NotActive` if the caller is no longer active at their provider."""
        fairlead, caller = self._fairlead, self._action.caller
        if fairlead.deployment is not self._deployment or not fairlead.lease.valid():
            return True
        return self._deployment.authenticator.standing(caller) != caller

    def _taken_up(self, lead: Racer) -> tuple[Candidate, Load | None, Slots | None] | None:
        """The next candidate that may be asked now, with what the call takes of its limits; None for none."""
        fairlead, candidates = self._fairlead, self._decided.plan.candidates
        asked = {racer.name for racer in self._racers}
        for candidate in candidates[candidates.index(lead.sent.candidate) + 1 :]:
            model = candidate.model
            if candidate.room != lead.sent.candidate.room:
                return None  # nor do those behind it take the input for sure
            of_another = model.group != lead.sent.candidate.model.group or not model.group
            if model.name in asked or (self._decided.plan.checks and of_another):  # a cascade goes its own way up
                continue
            slots = fairlead.lanes.slots_at(model.endpoint)
            load = Load(fairlead, self._decided.asked.request) if self._deployment.shares else None
            if slots is not None and not slots.free:
                leave_out(self._action, Dropped(model.name, "places", "all places of its endpoint are taken"))
            elif not fairlead.health.acquire(model.name):
                leave_out(self._action, Dropped(model.name, "health", "it is being left alone"))
            elif load is not None and load.at(model, candidate.max_output):
                fairlead.health.release(model.name)
                leave_out(self._action, Dropped(model.name, "rate limit", "it was sent as much as it takes"))
            else:
                if slots is not None:
                    slots.take()
                return candidate, load, slots
        return None

    def _let_go(self, candidate: Candidate, load: Load | None, slots: Slots | None) -> None:
        self._fairlead.health.release(candidate.model.name)
        if load is not None:
            load.leave()
        if slots is not None:
            slots.give_back()
            self._fairlead.lanes.pass_on()

    def _leave_to(self, winner: Racer, lead: Racer, release: Release) -> None:
        """The first attempt is not wanted any more, or has failed: another one takes its place."""
        fairlead, action = self._fairlead, self._action
        action.turn_to(winner.number)
        action.give_up(lead.number, lead.error)
        if lead.error is not None:
            fairlead.health.failure(lead.name, lead.error)
        if action.load is not None:
            action.load.leave()
            action.load = winner.load
        winner.sent.begin(release)
        action.sending(release)
        action.trace.note(model=winner.name)
        refuse_ended(fairlead, action, winner.sent.candidate.model)

    async def _ended(self) -> None:
        """End and settle all but the attempt in flight, which its own path settles; give back what they took."""
        action, health = self._action, self._fairlead.health
        for racer in self._racers:
            racer.first.cancel()
            if action.beside is not None and racer.number in action.beside:
                action.give_up(racer.number, racer.error)
                if racer.error is None:
                    health.release(racer.name)
                else:
                    health.failure(racer.name, racer.error)
            if racer.slots is not None:
                racer.slots.give_back()
                self._fairlead.lanes.pass_on()
            if racer.load is not None and racer.load is not action.load:
                racer.load.leave()
        for racer in self._racers:
            await racer.end()
