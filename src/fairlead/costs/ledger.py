"""The ledger: every action is opened here, held against its budgets, settled, and recorded, whatever way it ends.

Leaving an action without settling it is not possible: the way out decides the outcome. A refusal, an upstream failure,
a client that left and a fault of our own each end in one commit of money and record together.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

import msgspec

from fairlead.clock import Clock, new_id
from fairlead.costs.attempt import Held, failed, unkept
from fairlead.costs.beside import Beside
from fairlead.costs.outcomes import (
    HEDGED,
    checks_of,
    decided_by,
    guessed,
    hits_of,
    judged_of,
    late,
    outcome_of,
    policies_of,
)
from fairlead.costs.payload import Payload, encode_payload
from fairlead.costs.prices import cost
from fairlead.costs.record import RECORD_VERSION, Declassified, Record, RecordedError, encode_record, recorded_usage
from fairlead.costs.told import (
    ActionKind,
    Arrival,
    Checked,
    Deployment,
    Hit,
    Judged,
    Load,
    Pack,
    Pin,
    Place,
    Plan,
    Pseudonyms,
    Release,
    Reservation,
    Rights,
    Taken,
    ToolReservation,
    Unkept,
)
from fairlead.costs.work import work_id
from fairlead.errors import FairleadError, OverBudget, Overloaded, Upstream
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.models.types import Usage
from fairlead.storage.journal import Journal
from fairlead.storage.store import Away
from fairlead.storage.types import Entry, Hold, Kept, NewResult, NewStep, NewTurn, Receipt, ScopeLimit, Sealed, Write
from fairlead.storage.vault import SubjectKey, Vault
from fairlead.tasks.types import Task
from fairlead.telemetry.trace import Trace

log = logging.getLogger("fairlead.ledger")

_PATIENCE: Final = 0.25  # seconds that the record of a refusal may keep the caller waiting


class Ledger:
    """Opens actions. One per process, over the process's journal and the vault of subject keys."""

    def __init__(self, journal: Journal, vault: Vault, clock: Clock) -> None:
        self.journal = journal
        self.vault = vault
        self.clock = clock

    def open(
        self, caller: Caller, arrival: Arrival, deployment: Deployment, kind: ActionKind = "call_model"
    ) -> "Action":
        return Action(self, caller, arrival, deployment, kind)


class Action:
    """One governed action, as an async context manager. The path tells it what it learns (`task`, `pack`, `plan`…)."""

    def __init__(
        self, ledger: Ledger, caller: Caller, arrival: Arrival, deployment: Deployment, kind: ActionKind
    ) -> None:
        self.kind = kind
        self.ledger = ledger
        self.caller = caller
        self.arrival = arrival
        self.run = new_id(ledger.clock, "run")
        self.within = arrival.within
        self.at = ledger.clock.now()
        self.trace = Trace(self.run, time.perf_counter_ns)
        # One of the nine stages, as a context manager: times it, and marks errors that leave it with its name.
        self.step: Callable[[str], AbstractContextManager[None]] = self.trace.step
        self.task: Task | None = None
        self.tool = ""  # `system.tool`, of a tool's call
        self.labels: Labels | None = None
        self.pack: Pack | None = None
        self.gathered = b""  # what the pack was made of, so that it can be made again
        self.pin: Pin | None = None  # of a piece of work that goes on with the context it began under
        self.rights: Rights | None = None
        self.plan: Plan | None = None
        self.declassified: Declassified | None = None  # by what a result has a lower class than its source
        self.flags: list[str] = []
        self.warnings: list[ScopeLimit] = []
        self.hits: set[Hit] = set()
        self.judged: list[Judged] = []
        self.checks: tuple[Checked, ...] = ()  # of the answer, where it had to pass any to be kept
        self.unkept: list[Unkept] = []
        self.required: tuple[tuple[str, str], ...] = ()  # what the task must rest on, and how it stands
        self.until = 0.0  # the deadline of its attempts and of what follows, in the clock's monotonic seconds
        self.cost = 0
        self.waited = 0.0  # seconds, for its place
        self.place: Place | None = None  # left as soon as the attempts are over, at the latest with the action
        self.load: Load | None = None  # what counts as under way at a model's deployment
        self.taken: Taken | None = None  # of limits on tokens
        self.pseudonyms: Pseudonyms | None = None  # what stood for values that must not leave
        self.remembered = True  # False where something was to be remembered and nobody is left to have it
        self._deployment = deployment
        self._subject: SubjectKey
        self._attempt = 0
        self._held: Held | None = None
        self._sent: Release | None = None  # None while nothing of the attempt is on the way: then nothing is owed
        self._failed = Write()  # a failed attempt's settlement, committed together with the next hold or the end
        self._stood_in: Record | None = None  # an earlier attempt whose answer is given after all
        self.beside: Beside | None = None  # attempts beside the one in flight
        self._ended = False

    @property
    def attempt_id(self) -> str:
        """Unique for ever: what a provider gets as idempotency key."""
        return f"{self.run}.{self._attempt}"

    def secret_for(self, conversation: str) -> bytes:
        """What the pseudonyms of one of the caller's conversations are made with."""
        return self._subject.naming_secret(conversation)

    @property
    def attempted(self) -> str:
        """The model that is being attempted, "" for none."""
        return self._held.record.model if self._held is not None else ""

    async def __aenter__(self) -> "Action":
        known = self.ledger.vault.cached(self.caller.person)
        self._subject = known if known is not None else await self._looked_up()
        if self.arrival.work:
            self.within = work_id(self._subject.id, self.caller.tenant, self.arrival.work)
        self.trace.add("authenticate", self.arrival.authenticated_ns)
        return self

    async def _looked_up(self) -> SubjectKey:
        try:
            return await asyncio.to_thread(self.ledger.vault.subject_for, self.caller.person)
        except Away as error:
            raise Overloaded(
                "the state database cannot be used just now",
                why=error.why,
                mend="try again shortly; if it lasts, run `fairlead doctor`",
                step="authenticate",
            ) from error

    async def reserve(self, reservation: Reservation) -> None:
        """Hold the most that an attempt can cost, and record the intent to make it, in one commit.

        Settles the failed attempt before it, if there was one, in the same commit. Raises `OverBudget`, `Overloaded`.
        """
        await self._hold(self._held_for(reservation))

    def _held_for(self, reservation: Reservation, flags: tuple[str, ...] = ()) -> Held:
        self._attempt += 1
        record = self._record("attempt", reservation)
        record = msgspec.structs.replace(record, flags=flags) if flags else record
        hold = Hold(self.attempt_id, reservation.most, reservation.limits, encode_record(record))
        return Held(hold, record, reservation.rate, reservation.max_output)

    @property
    def in_flight(self) -> int:
        """The number of the attempt in flight; 0 for none."""
        return self._held.record.attempt if self._held is not None else 0

    async def reserve_beside(self, reservation: Reservation) -> int:
        """As `reserve`, for an attempt beside the one in flight. Gives its number."""
        if self.beside is None:
            self.beside = Beside(self.ledger.journal, self.ledger.clock.now, self._warn)
        held = self._held_for(reservation, (HEDGED,))
        try:
            await self.beside.hold(held)
        except FairleadError:
            self._attempt -= 1  # nothing tells of it
            raise
        return held.record.attempt

    def turn_to(self, number: int) -> None:
        """An attempt beside the one in flight takes its place."""
        if self.beside is not None and self._held is not None:
            self._held, self._sent = self.beside.swapped(number, self._held, self._sent)

    def give_up(self, number: int, error: Upstream | None = None) -> None:
        """An attempt beside the one in flight failed with this, or its answer is not wanted any more."""
        assert self.beside is not None
        self.cost += self.beside.give_up(number, error)

    async def reserve_tool(self, reservation: ToolReservation, step: NewStep | None = None) -> None:
        """As `reserve`, for the call of a tool. `step` is kept in the same commit: see `remembered`."""
        self._attempt += 1
        record = msgspec.structs.replace(
            self._record("attempt"),
            tool=reservation.tool,
            arguments=reservation.arguments,
            definition=reservation.definition,
            rights=reservation.rights,
            sources=reservation.sources,
            approvals=reservation.approvals,
            held=reservation.price,
        )
        hold = Hold(self.attempt_id, reservation.price, reservation.limits, encode_record(record))
        await self._hold(Held(hold, record, None, 0), step)

    async def _hold(self, held: Held, step: NewStep | None = None) -> None:
        hold = held.hold
        failed, self._failed = self._failed, Write()
        # Noted before it is durable: a caller cancelled while waiting still closes the hold on the way out.
        self._held, self._sent = held, None
        try:
            receipt = await self._commit(Write(failed.close, failed.spent, failed.entries, hold, None, step))
            self._warn(receipt)
            self.remembered = receipt.remembered
        except FairleadError as error:
            self._held = None
            if isinstance(error, OverBudget):
                unit = self._deployment.unit
                raise error.told_in(unit.exact, unit.name) from None
            raise

    def sending(self, release: Release) -> None:
        """From here on the provider may work and charge. `release` tells what it has produced, should it end early."""
        self._sent = release

    def fail(self, error: Upstream) -> None:
        """The attempt failed. Its settlement goes into the next commit."""
        held, sent = self._held, self._sent
        if held is None:
            return
        self._held = self._sent = None
        self._over(held.hold, failed(held, sent, error))

    def _over(self, hold: Hold, record: Record) -> None:
        self.cost += record.cost
        entry = Entry(self.run, self.ledger.clock.now(), encode_record(record))
        self._failed = Write(close=hold, spent=record.cost, entries=(entry,))

    def escalate(self, check: Checked, hits: set[Hit]) -> Record:
        """The attempt has answered, and its answer is not kept, since this check failed: it is settled with the next
        commit. `hits` are those from before it answered."""
        held, sent = self._held, self._sent
        assert held is not None, "it is held from reserve to here"
        named = self._named()
        self._held = self._sent = None
        usage = sent.usage_so_far() if sent is not None else None
        record = msgspec.structs.replace(
            unkept(held, usage),
            hits=hits_of(self.hits.union(sent.hits() if sent is not None else ())),
            judged=judged_of(self.judged),
            checks=checks_of(self.checks),
            pseudonyms=named,
        )
        self._over(held.hold, record)
        self.unkept.append(Unkept(record.model, check, record.cost, tuple(self.judged)))
        self._used(usage)
        self.hits, self.judged, self.checks, self.taken = set(hits), [], (), None
        return record

    def stand_in(self, record: Record, sent: Release) -> None:
        """The answer of an attempt that was not kept is given after all, since no other can be had. It is billed
        already; what is settled next is the action, with no attempt of its own and no further cost."""
        self._stood_in, self._sent = msgspec.structs.replace(record, attempt=0, held=0), sent

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
        if self._sent is not None and (hits := self._sent.hits()):
            self.hits.update(hits)
        named = self._named() if self.pseudonyms is not None else ()
        sealed = self._seal() if self._deployment.keep_payloads else None
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
        entry = Entry(self.run, self.ledger.clock.now(), encode_record(record), self.trace.encode(), sealed)
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

    def _named(self) -> tuple[tuple[str, int], ...]:
        """How many values were sent under pseudonyms, by category."""
        named = self.pseudonyms
        if named is None or self._sent is None:
            return ()
        if named.strange:
            self.flags.append("unknown_pseudonym")
        return tuple(sorted(named.counts.items()))

    def _used(self, usage: Usage | None) -> None:
        """Limits in tokens count what was used from here on, and no longer what might have been."""
        if self.taken is not None:
            self.taken.used(usage.input + usage.output if usage is not None else 0)
        if self.load is not None and usage is not None and not usage.estimated:
            self.load.used(usage.input + usage.output)

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
        entry = Entry(self.run, self.ledger.clock.now(), encode_record(late(record)))
        return await self._commit(Write(entries=(entry,), turn=write.turn, step=write.step, result=write.result))

    async def _commit(self, write: Write) -> Receipt:
        # A queued write is carried out even if we are cancelled while waiting for it: then only its receipt is lost.
        with self.trace.waiting():
            return await self.ledger.journal.commit(write)

    async def _noted(self, write: Write) -> Receipt | None:
        """Record an action that owes nothing. Who was refused is told so at once, where the database is away: the
        record is queued, and made as soon as it can be."""
        noted = self.ledger.journal.commit(write)
        with self.trace.waiting():
            await asyncio.wait((noted,), timeout=_PATIENCE)
        if noted.done():
            return noted.result()
        noted.add_done_callback(self._lost)
        return None

    def _lost(self, noted: "asyncio.Future[Receipt]") -> None:
        if not noted.cancelled() and (error := noted.exception()) is not None:
            log.error("run %s could not be recorded: %s", self.run, error)

    def _record(self, kind: str, reserved: Reservation | None = None) -> Record:
        caller, task, labels, pack = self.caller, self.task, self.labels, self.pack
        return Record(
            v=RECORD_VERSION,
            kind=kind,
            run=self.run,
            at=self.at,
            attempt=self._attempt,
            door=self.arrival.door,
            judges=self.arrival.judges,
            within=self.within,
            tool=self.tool,
            person=self._subject.id,
            agent=caller.agent,
            department=caller.department,
            tenant=caller.tenant,
            credential=caller.credential,
            revision=self._deployment.revision,
            task=task.type.name if task else "",
            data_class=labels.data_class.name if labels else "",
            categories=tuple(sorted(labels.categories)) if labels else (),
            snapshot=pack.snapshot if pack else "",
            citations=tuple(c.where for c in pack.citations) if pack else (),
            pack=pack.digest if pack else "",
            required=self.required,
            policies=policies_of(self.rights, reserved.model.name if reserved else None),
            dropped=tuple((d.model, d.by) for d in self.plan.dropped) if self.plan else (),
            decision=self.plan.decision if self.plan else None,
            model=reserved.model.name if reserved else "",
            placement=reserved.model.placement.kind if reserved else "",
            redacted=tuple(sorted(reserved.redacted)) if reserved else (),
            price=reserved.rate.version if reserved else "",
            held=reserved.most if reserved else 0,
        )

    def _seal(self) -> Sealed:
        reply = self._sent.reply_text() if self._sent else ""
        plain = encode_payload(Payload(self.arrival.body, reply, self.gathered))
        return Sealed(self._subject.id, self.ledger.vault.seal(self._subject, plain, self.run.encode()))

    def _warn(self, receipt: Receipt) -> None:
        for limit in receipt.warnings:
            # A person's budget is their own, so it is this one's: logs name persons by their subject ids.
            scope = f"person/{self._subject.id}" if limit.scope.startswith("person/") else limit.scope
            log.warning("budget %s has passed %d%% for %s", scope, limit.shares[-1], limit.period)
            self.warnings.append(limit)
