"""The ledger: every action is opened here, held against its budgets, settled, and recorded, whatever way it ends.

Leaving an action without settling it is not possible: the way out decides the outcome. A refusal, an upstream failure,
a client that left and a fault of our own each end in one commit of money and record together.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final

import msgspec

from fairlead.costs.attempt import Held
from fairlead.costs.attempting import Attempting
from fairlead.costs.known import Books
from fairlead.costs.outcomes import checks_of, decided_by, guessed, hits_of, judged_of, late, outcome_of
from fairlead.costs.payload import Payload, encode_payload
from fairlead.costs.prices import cost
from fairlead.costs.record import Record, RecordedError, encode_record, recorded_usage
from fairlead.costs.told import ActionKind, Arrival, Deployment
from fairlead.costs.work import work_id
from fairlead.errors import FairleadError
from fairlead.identity.types import Caller
from fairlead.models.types import Usage
from fairlead.storage.types import Entry, Kept, NewResult, NewStep, NewTurn, Receipt, Sealed, Write

log = logging.getLogger("fairlead.ledger")

_PATIENCE: Final = 0.25  # seconds that the record of a refusal may keep the caller waiting


class Ledger(Books):
    """Opens actions. One per process, over the process's journal and the vault of subject keys."""

    def open(
        self, caller: Caller, arrival: Arrival, deployment: Deployment, kind: ActionKind = "call_model"
    ) -> "Action":
        """A new action of a caller, under the deployment that it is decided by."""
        return Action(self, caller, arrival, deployment, kind)


class Action(Attempting):
    """One governed action, as an async context manager. Leaving it settles it."""

    _ended = False

    async def __aenter__(self) -> "Action":
        known = self.books.vault.cached(self.caller.person)
        self._subject = known if known is not None else await self._looked_up()
        if self.arrival.work:
            self.within = work_id(self._subject.id, self.caller.tenant, self.arrival.work)
        self.trace.add("authenticate", self.arrival.authenticated_ns)
        return self

    async def settle(self, usage: Usage, kept: Callable[[], Kept] | None = None, step: NewStep | None = None) -> None:
        """The attempt succeeded: bill what was used, free the rest of the hold, record the action, in one commit.

        `kept` makes what is to be remembered of it, once the cost is known; that and `step` are part of the commit.
        """
        if self._held is not None and usage.output > self._held.max_output:
            self.flags.append("overrun")
        await self._end("done", usage, None, kept=kept, step=step)

    async def conclude(self, outcome: str) -> None:
        """End an action that attempted nothing, such as an estimate."""
        await self._end(outcome, None, None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.place is not None:
            self.place.leave()
        if self.load is not None:
            self.load.leave()
        if self._ended:
            return
        if isinstance(error, FairleadError):
            error.run = self.run
        outcome, recorded = outcome_of(error)
        by = decided_by(error)
        usage = self._sent.usage_so_far() if self._sent is not None else None
        try:
            await self._end(outcome, usage, recorded, by)
        except FairleadError as second:
            # The first error matters more to the caller. Nothing is lost: an open hold is settled by recovery.
            log.error("run %s ended as %s and could not be recorded: %s", self.run, outcome, second)
            if error is None:
                raise

    async def _end(
        self,
        outcome: str,
        usage: Usage | None,
        error: RecordedError | None,
        withheld_by: tuple[str, ...] = (),
        kept: Callable[[], Kept] | None = None,
        step: NewStep | None = None,
    ) -> None:
        if self.beside is not None:
            for number in self.beside.numbers:
                self.give_up(number)
        held = self._held
        spent, usage = self._spent(held, usage, outcome)
        self.cost += spent
        base = held.record if held is not None else self._stood_in or self._record(self.kind)
        self._observe()
        named = self._named() if self.pseudonyms is not None else ()
        sealed = self._seal() if self.keeps else None
        record = msgspec.structs.replace(
            base,
            kind=self.kind,
            outcome=outcome,
            cost=spent,
            declassified=self.declassified,
            usage=recorded_usage(usage) if usage is not None else None,
            flags=tuple(dict.fromkeys(self.flags)) if self.flags else (),
            error=error,
            policies=withheld_by or base.policies,
            pseudonyms=named,
            hits=hits_of(self.hits) if self.hits else (),
            judged=judged_of(self.judged) if self.judged else (),
            checks=checks_of(self.checks) if self.checks else (),
            payload=hashlib.sha256(sealed.ciphertext).hexdigest() if sealed else "",
        )
        entry = Entry(self.run, self.books.clock.now(), encode_record(record), self.trace.encode(), sealed)
        new = self._remembered(kept) if kept is not None else None
        # From here on the way out has nothing to decide any more. A fault before it is recorded, and its hold closed.
        self._ended = True
        if self.arrival.billed is not None:
            self.arrival.billed(self.cost)
        self._used(usage)
        failed = self._failed
        write = Write(
            close=held.hold if held is not None else failed.close,
            spent=spent if held is not None else failed.spent,
            entries=(*failed.entries, entry),
            turn=new if isinstance(new, NewTurn) else None,
            step=step,
            result=new if isinstance(new, NewResult) else None,
        )
        receipt = await (self._commit(write) if write.close is not None or error is None else self._noted(write))
        self._held = None
        if receipt is None:
            return
        self._warn(receipt)
        if not receipt.closed:
            receipt = await self._record_late(record, write)
        self.remembered = receipt.remembered and (kept is None or new is not None)

    def _observe(self) -> None:
        """Take in what the rules in shadow and warn mode have noted of the reply."""
        if self._sent is not None and (hits := self._sent.hits()):
            with self.trace.step("observe"):
                self.hits.update(hits)

    def _spent(self, held: Held | None, usage: Usage | None, outcome: str) -> tuple[int, Usage | None]:
        """What the attempt in flight comes to, and the usage that it rests on."""
        if held is None:
            return 0, usage if self._stood_in is None else None  # an attempt that stands in has its own row
        if held.rate is None:
            return self._fixed(held, outcome), None
        if usage is None:
            return 0, None
        spent = cost(usage, held.rate)
        self.flags += guessed(usage, held.rate)
        if spent > held.hold.amount:
            self.flags.append("over_hold")
        return spent, usage

    def _fixed(self, held: Held, outcome: str) -> int:
        """What the call of a tool costs: its price, if the system may have done it."""
        if outcome == "done":
            return held.hold.amount
        if self._sent is None:
            return 0
        if outcome != "refused":  # it was on its way, and nobody heard what became of it
            self.flags.append("reconcile")
        return held.hold.amount

    def _remembered(self, kept: Callable[[], Kept]) -> Kept | None:
        """What is to be remembered; None where it cannot be made, because the bill must not wait for it."""
        try:
            return kept()
        except FairleadError as error:
            log.error("run %s cannot be remembered: %s", self.run, error)
            return None

    async def _record_late(self, record: Record, write: Write) -> Receipt:
        """Recovery took this worker for dead and settled at the reserved amount: keep what happened, unbilled."""
        log.error("run %s was settled by recovery before it ended: reconcile it", self.run)
        entry = Entry(self.run, self.books.clock.now(), encode_record(late(record)))
        return await self._commit(Write(entries=(entry,), turn=write.turn, step=write.step, result=write.result))

    async def _noted(self, write: Write) -> Receipt | None:
        """Record an action that owes nothing. Who was refused is told so at once, where the database is away: the
        record is queued, and made as soon as it can be."""
        noted = self.books.journal.commit(write)
        with self.trace.waiting():
            await asyncio.wait((noted,), timeout=_PATIENCE)
        if noted.done():
            return noted.result()
        noted.add_done_callback(self._lost)
        return None

    def _lost(self, noted: "asyncio.Future[Receipt]") -> None:
        if not noted.cancelled() and (error := noted.exception()) is not None:
            log.error("run %s could not be recorded: %s", self.run, error)

    def _seal(self) -> Sealed:
        reply = self._sent.reply_text() if self._sent else ""
        plain = encode_payload(Payload(self.arrival.body, reply, self.gathered, self.told))
        return Sealed(self._subject.id, self.books.vault.seal(self._subject, plain, self.run.encode()))
