"""Questions to people about single calls: durable, each for one very call, used once.

Every change is one transaction with its record. The question is sealed for whose call it is, an answer's reason for who
gave it: both go with their person. Every method reads or writes the database: call it in a thread.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.errors import NotFound
from fairlead.execution.approval_link import PURPOSE, Link, read, written
from fairlead.execution.approval_question import (
    Answer,
    Approval,
    NotOpen,
    Question,
    Standing,
    agreed,
    covers,
    decoded,
    encoded,
    standing,
)
from fairlead.execution.approval_refusals import require_open, require_short, too_many, unfit, unknown
from fairlead.identity.types import Caller
from fairlead.policy.approvals import ApprovalRules, no_rules
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.approval_rows import AnswerRow, ApprovalRow, State

MOST_WAITING: Final = 100
"""Questions of one person at once: an agent must not bury people under them."""

_DAY: Final = 86_400_000
_encode = msgspec.json.Encoder().encode
Notice = Callable[["Connection", Approval], None]


class Approvals:
    """All approvals of a deployment. `rules_at` and `keep` (milliseconds) are replaced when another revision comes into
    force; `notice` is told of each question in the transaction that keeps it."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.rules_at: Callable[[int], ApprovalRules] = no_rules
        self.organisation = ""
        self.keep = 30 * _DAY
        self.notice: Notice = _unnoticed
        self.agreed: Notice = _unnoticed  # told of what is granted, in the transaction that grants it
        self._store = store
        self._vault = vault
        self._clock = clock

    def held_or_asked(self, question: Question, by: str) -> Standing:
        """How the question about this very call stands; asked now, if it was not. Raises `Refused` where too many of
        this person wait already."""
        from fairlead.storage import approval_rows as table

        key, now = self._vault.subject_for(question.person), self._clock.now()
        same = question.same(key.id)
        with self._store.reading() as connection:
            found = _live(table.alike(connection, same, now), question)
        if found is not None:
            return found
        asked = self._new(question, now)
        row = self._row(asked, key.id, self._vault.seal(key, encoded(question), _about(asked.id)))
        with self._store.writing() as connection:
            found = _live(table.alike(connection, same, now), question)
            if found is not None:  # another asked the same meanwhile
                return found
            if table.waiting(connection, key.id, now) >= MOST_WAITING:
                raise too_many(question, MOST_WAITING)
            table.insert_approval(connection, row)
            self.notice(connection, asked)
            about = f"{asked.id} {question.tool}: {', '.join(question.wanted)}"
            self._keep(connection, deed(self._clock, "approval_asked", by=by, person=key.id, about=about))
        return standing(row)

    @property
    def rules(self) -> ApprovalRules:
        """Who may approve what now."""
        return self.rules_at(self._clock.now())

    def use(self, id_: str, by: str, person: str, run: str) -> bool:
        """Use what was granted, for good. False if somebody else did, or its time is over."""
        from fairlead.storage import approval_rows as table

        subject = self._vault.subject_for(person).id
        with self._store.writing() as connection:
            if not table.change(connection, id_, "granted", "used", self._clock.now()):
                return False
            self._keep(connection, deed(self._clock, "approval_used", by=by, person=subject, about=f"{id_} by {run}"))
        return True

    def roles_of(self, asked: Approval, who: Caller, role: str = "") -> frozenset[str]:
        """For which roles this person's answer counts, of all or of one. Raises `OwnCall`, `NotFound` for none."""
        roles = self.rules.may_answer(asked.question.wanted, who, asked.asker, self._clock.now())
        mine = roles & {role} if role else roles
        if not mine:
            unfit(asked, who)
        return mine

    def answer(
        self, id_: str, who: Caller, allowed: bool, reason: str, *, revision: str, by: str = "", role: str = ""
    ) -> Approval:
        """What one person says to a question. `revision` is that in force, `by` how they came, where it was not by
        their own credential, `role` the one in which they answer. Raises `NotFound`, `OwnCall`, `NotOpen`, `BadInput`.
        """
        from fairlead.storage import approval_rows as table

        require_short(reason)
        asked, key = self.shown(id_, who), self._vault.subject_for(who.person)
        wanted, roles = asked.question.wanted, self.roles_of(asked, who, role)
        sealed = self._vault.seal(key, reason.encode(), _about(id_))
        with self._store.writing() as connection:
            now, row = self._clock.now(), table.one(connection, id_)
            require_open(row, id_, revision, now)
            before = table.answers(connection, id_)
            if any(each.approver == key.id for each in before):
                raise NotOpen(f"{who.person} has answered {id_} already", mend="somebody else may answer")
            said = table.AnswerRow(
                approval=id_, approver=key.id, roles=_encode(sorted(roles)).decode(), allowed=allowed, at=now,
                sealed=sealed,
            )  # fmt: skip
            table.insert_answer(connection, said)
            state = _after(wanted, [*before, said])
            if state != "pending":
                table.change(connection, id_, "pending", state, now)
            if state == "granted":
                self.agreed(connection, asked)
            kind = "approval_denied" if not allowed else "approval_granted" if state == "granted" else "approval_agreed"
            about = f"{id_} {asked.question.tool} as {', '.join(sorted(roles))}"
            self._keep(connection, deed(self._clock, kind, by=by or who.credential, person=key.id, about=about))
        return self._of(id_)

    def shown(self, id_: str, who: Caller) -> Approval:
        """One, to whoever asked it or may answer it. For everybody else it is as if it never was: `NotFound`."""
        found = self._of(id_)
        if not self._concerns(found, who):
            unknown(id_)
        return found

    def concerning(self, who: Caller, states: "Sequence[State]" = ()) -> list[Approval]:
        """Those that this person has asked or may answer."""
        return [each for each in self.all(states) if self._concerns(each, who)]

    def all(self, states: "Sequence[State]" = ()) -> list[Approval]:
        """For whoever runs the deployment. Those of the erased are gone."""
        from fairlead.storage import approval_rows as table

        with self._store.reading() as connection:
            found = table.listed(connection, table.OPEN if states and set(states) <= set(table.OPEN) else ())
            rows = [(each, table.answers(connection, each.id)) for each in found]
        opened = [self._opened(*each) for each in rows]
        return [each for each in opened if each is not None and (not states or each.state in states)]

    def sweep(self) -> None:
        """End what has expired, and delete what ended long ago."""
        from fairlead.storage import approval_rows as table

        now = self._clock.now()
        with self._store.reading() as connection:
            if not table.has_expired(connection, now, now - self.keep):
                return
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            for row in table.expire(connection, now):
                about = f"{row.id} {row.tool}"
                self._keep(
                    connection, deed(self._clock, "approval_expired", by="fairlead", person=row.subject, about=about)
                )
            table.forget(connection, now - self.keep)

    def one(self, id_: str) -> Approval:
        """For whoever runs the deployment. Raises `NotFound`."""
        return self._of(id_)

    def link(self, id_: str, approver: str, role: str, until: int) -> str:
        """What proves, to whoever gets it, that its bearer may answer as this person in this role."""
        return written(Link(id_, approver, role, until), self._link_key())

    def linked(self, token: str) -> Link:
        """What a link says. Raises `NotFound` where it was not made here, or its time is over."""
        return read(token, self._link_key, self._clock.now())

    def _link_key(self) -> bytes:
        return self.derived_key(PURPOSE)

    def derived_key(self, purpose: bytes) -> bytes:
        """What proves that a text which leaves and comes back was written here. Call it in a thread."""
        from fairlead.storage.checkpoints import log_origin

        return self._vault.derived_key(log_origin(self._store, self.organisation), purpose)

    def _of(self, id_: str) -> Approval:
        from fairlead.storage import approval_rows as table

        with self._store.reading() as connection:
            row = table.one(connection, id_)
            answers = table.answers(connection, id_)
        found = None if row is None else self._opened(row, answers)
        return unknown(id_) if found is None else found

    def _concerns(self, found: Approval, who: Caller) -> bool:
        question = found.question
        if (question.person, question.tenant) == (who.person, who.tenant):
            return True
        return bool(self.rules.may_answer(question.wanted, who, found.asker, self._clock.now()))

    def _new(self, question: Question, now: int) -> Approval:
        return Approval(
            id=new_id(self._clock, "apr"), state="pending", asked_at=now, expires_at=now + self.rules.lasts, ended_at=0,
            question=question,
        )  # fmt: skip

    def _row(self, asked: Approval, subject: str, sealed: bytes) -> "ApprovalRow":
        from fairlead.storage.approval_rows import ApprovalRow

        question = asked.question
        return ApprovalRow(
            id=asked.id,
            subject=subject,
            tenant=question.tenant,
            agent=question.agent,
            tool=question.tool,
            digest=question.digest,
            revision=question.revision,
            policies=_encode(sorted(question.policies)).decode(),
            wanted=_encode(question.wanted).decode(),
            state="pending",
            asked_at=asked.asked_at,
            expires_at=asked.expires_at,
            ended_at=0,
            sealed=sealed,
        )

    def _opened(self, row: "ApprovalRow", answers: "list[AnswerRow]") -> Approval | None:
        """None where it went with its person meanwhile."""
        try:
            question = decoded(self._vault.open_sealed(row.subject, row.sealed, _about(row.id)))
        except NotFound:
            return None
        over = row.state in ("pending", "granted") and row.expires_at <= self._clock.now()
        return Approval(
            id=row.id,
            state="expired" if over else row.state,
            asked_at=row.asked_at,
            expires_at=row.expires_at,
            ended_at=row.expires_at if over else row.ended_at,
            question=question,
            answers=tuple(map(self._answer, answers)),
        )

    def _answer(self, row: "AnswerRow") -> Answer:
        try:
            reason = self._vault.open_sealed(row.approver, row.sealed, _about(row.approval)).decode()
        except NotFound:
            reason = ""
        roles = tuple(msgspec.json.decode(row.roles, type=list[str]))
        by = self._vault.name_of(row.approver) or ""
        return Answer(by=by, roles=roles, allowed=row.allowed, at=row.at, reason=reason)

    def _keep(self, connection: "Connection", entry: Entry) -> None:
        self._store.database.append(connection, [entry])


def _unnoticed(connection: "Connection", asked: Approval) -> None:
    """Nobody is told."""


def _about(id_: str) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return f"approval\x00{id_}".encode()


def _live(rows: "Sequence[ApprovalRow]", question: Question) -> Standing | None:
    """What was granted counts before what was denied, and that before what waits."""
    mine = [row for row in rows if covers(row, question)]
    for state in ("granted", "denied", "pending"):
        for row in mine:
            if row.state == state:
                return standing(row)
    return None


def _after(wanted: Mapping[str, int], said: "list[AnswerRow]") -> "State":
    if not all(each.allowed for each in said):
        return "denied"
    roles = [tuple(msgspec.json.decode(each.roles, type=list[str])) for each in said]
    return "granted" if agreed(wanted, roles) else "pending"
