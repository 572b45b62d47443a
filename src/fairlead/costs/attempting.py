"""The attempts of an action: each is held before it is made, and what it came to is settled with the next commit."""

import logging

import msgspec

from fairlead.costs.attempt import Held, failed, unkept
from fairlead.costs.beside import Beside
from fairlead.costs.known import Books, Known
from fairlead.costs.outcomes import HEDGED, checks_of, hits_of, judged_of
from fairlead.costs.record import Record, encode_record
from fairlead.costs.told import (
    ActionKind,
    Arrival,
    Checked,
    Deployment,
    Hit,
    Release,
    Reservation,
    ToolReservation,
    Unkept,
)
from fairlead.errors import FairleadError, NotRedactable, OverBudget, Upstream
from fairlead.identity.types import Caller
from fairlead.models.types import Usage
from fairlead.storage.types import Entry, Hold, NewResult, NewStep, Receipt, Write

log = logging.getLogger("fairlead.ledger")


class Attempting(Known):
    """An action while it attempts: at most one attempt is in flight here, others are beside it."""

    def __init__(
        self, books: Books, caller: Caller, arrival: Arrival, deployment: Deployment, kind: ActionKind
    ) -> None:
        super().__init__(books, caller, arrival, deployment, kind)
        self._held: Held | None = None
        self._sent: Release | None = None  # None while nothing of the attempt is on the way: then nothing is owed
        self._failed = Write()  # a failed attempt's settlement, committed together with the next hold or the end
        self._stood_in: Record | None = None  # an earlier attempt whose answer is given after all
        self.beside: Beside | None = None  # attempts beside the one in flight
        self.marked = False  # whether it is kept that a workflow has begun this

    @property
    def attempted(self) -> str:
        """The model that is being attempted, "" for none."""
        return self._held.record.model if self._held is not None else ""

    @property
    def keeps(self) -> bool:
        """Whether what is asked and answered is kept, sealed for its person."""
        return self._deployment.keep_payloads and self.arrival.keep

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
            self.beside = Beside(self.books.journal, self.books.clock.now, self._warn)
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
        self.cost += self.beside.give_up(number, error, self._named_in)

    async def reserve_tool(self, reservation: ToolReservation, step: NewStep | None, begins: NewResult | None) -> None:
        """As `reserve`, for the call of a tool. `step` and `begins` are kept in the same commit: see `remembered`."""
        self._attempt += 1
        self.marked = begins is not None
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
        await self._hold(Held(hold, record, None, 0), step, begins)

    async def _hold(self, held: Held, step: NewStep | None = None, begins: NewResult | None = None) -> None:
        hold = held.hold
        failed, self._failed = self._failed, Write()
        # Noted before it is durable: a caller cancelled while waiting still closes the hold on the way out.
        self._held, self._sent = held, None
        try:
            receipt = await self._commit(
                Write(failed.close, failed.spent, failed.entries, hold, None, step, result=begins)
            )
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

    def fail(self, error: Upstream | NotRedactable) -> None:
        """The attempt failed, or cannot be made. Its settlement goes into the next commit."""
        held, sent = self._held, self._sent
        if held is None:
            return
        named = self._named()
        self._held = self._sent = None
        self._over(held.hold, msgspec.structs.replace(failed(held, sent, error), pseudonyms=named))

    def _over(self, hold: Hold, record: Record) -> None:
        self.cost += record.cost
        entry = Entry(self.run, self.books.clock.now(), encode_record(record))
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

    def _named(self) -> tuple[tuple[str, int], ...]:
        """How many values were sent under pseudonyms in the attempt in flight, by category."""
        named, record = self.pseudonyms, self._held.record if self._held is not None else self._stood_in
        if named is None or self._sent is None or record is None:
            return ()
        if named.strange:
            self.flags.append("unknown_pseudonym")
        return self._named_in(record)

    def _named_in(self, record: Record) -> tuple[tuple[str, int], ...]:
        """As `_named`, of any attempt: one from which nothing was kept back was sent the values themselves."""
        counts = self.pseudonyms.counts if self.pseudonyms is not None else {}
        return tuple(sorted([(name, count) for name, count in counts.items() if name in record.redacted]))

    def _used(self, usage: Usage | None) -> None:
        """Limits in tokens count what was used from here on, and no longer what might have been."""
        if self.taken is not None:
            self.taken.used(usage.input + usage.output if usage is not None else 0)
        if self.load is not None and usage is not None and not usage.estimated:
            self.load.used(usage.input + usage.output)

    async def _commit(self, write: Write) -> Receipt:
        # A queued write is carried out even if we are cancelled while waiting for it: then only its receipt is lost.
        with self.trace.waiting():
            return await self.books.journal.commit(write)

    def _warn(self, receipt: Receipt) -> None:
        for limit in receipt.warnings:
            # A person's budget is their own, so it is this one's: logs name persons by their subject ids.
            scope = f"person/{self._subject.id}" if limit.scope.startswith("person/") else limit.scope
            log.warning("budget %s has passed %d%% for %s", scope, limit.shares[-1], limit.period)
            self.warnings.append(limit)
