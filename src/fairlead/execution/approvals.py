"""Questions to people about single calls: durable, each for one very call, used once.

Every change is one transaction with its record. The question is sealed for whose call it is, an answer's reason for who
gave it: both go with their person. Every method reads or writes the database: call it in a thread.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from fairlead.clock import Clock, new_id
from fairlead.costs.record import deed
from fairlead.execution.approval_answers import sealed_answer, still_counts
from fairlead.execution.approval_link import PURPOSE, Link, read, written
from fairlead.execution.approval_opening import opened_approval, still_asks
from fairlead.execution.approval_question import (
    Approval,
    NotOpen,
    Question,
    Standing,
    about,
    after,
    encoded,
    live,
    row_of,
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
    force; `notice` is told of each question in the transaction that keeps it; `standing` tells how somebody who
    answered earlier stands by now, and raises for who is gone."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.rules_at: Callable[[int], ApprovalRules] = no_rules
        self.organisation = ""
        self.keep = 30 * _DAY
        self.notice: Notice = _unnoticed
        self.standing: Callable[[Caller], Caller] = _as_they_stood
        self.agreed: Notice = _unnoticed  # told of what is granted, in the transaction that grants it
        self._store = store
        self._vault = vault
        self._clock = clock

    def held_or_asked(self, question: Question, by: str, asker: str = "", once: str = "") -> Standing:
        """How the question about this very call stands; asked now, if it was not. `asker` is who asks it together with
        others, where it is nobody's own. What the call with the idempotency key `once` has used before stands for it
        still: it was cut off, and is made again. Raises `Refused` where too many of this person wait already."""
        from fairlead.storage import approval_rows as table

        key, now = self._vault.subject_for(question.person), self._clock.now()
        mine = "" if asker in ("", question.person) else self._vault.subject_for(asker).id
        same = question.same(key.id)
        with self._store.reading() as connection:
            rows = table.alike(connection, same, now, once)
            found = live(rows, question, once)
            if found is not None and (not mine or table.has_asked(connection, found.id, mine)):
                return found
        if found is None and (before := [each for each in rows if still_asks(self._vault, each, question)]):
            self._keep_asking(before, question, by, key.id)
        asked = self._new(question, now)
        row = row_of(asked, key.id, self._vault.seal(key, encoded(question), about(asked.id)))
        with self._store.writing() as connection:
            found = live(
                table.alike(connection, same, now, once), question, once
            )  # another may have asked the same meanwhile
            if found is None:
                if table.waiting(connection, key.id, now) >= MOST_WAITING:
                    raise too_many(question, MOST_WAITING)
                table.insert_approval(connection, row)
                self.notice(connection, asked)
                said = f"{asked.id} {question.tool}: {', '.join(question.wanted)}"
                self._keep(connection, deed(self._clock, "approval_asked", by=by, person=key.id, about=said))
                found = standing(row)
            if mine:
                table.join(connection, found.id, mine, now)
        return found

    def _keep_asking(self, rows: "Sequence[ApprovalRow]", question: Question, by: str, subject: str) -> None:
        """They count under the revision of now."""
        from fairlead.storage import approval_rows as table

        with self._store.writing() as connection:
            for row in rows:
                if table.rebind(connection, row.id, row.revision, question.revision):
                    said = f"{row.id} {row.tool}: {row.revision[:16]} → {question.revision[:16]}"
                    self._keep(connection, deed(self._clock, "approval_stands", by=by, person=subject, about=said))

    @property
    def rules(self) -> ApprovalRules:
        """Who may approve what now."""
        return self.rules_at(self._clock.now())

    def use(self, id_: str, by: str, person: str, run: str, once: str = "") -> bool:
        """Use what was granted, for good. False if another call did, or its time is over. With an idempotency key, the
        same call may use it again."""
        from fairlead.storage import approval_rows as table

        subject = self._vault.subject_for(person).id
        with self._store.writing() as connection:
            if not table.use(connection, id_, once, self._clock.now()):
                return False
            self._keep(connection, deed(self._clock, "approval_used", by=by, person=subject, about=f"{id_} by {run}"))
        return True

    def roles_of(self, asked: Approval, who: Caller, role: str = "") -> frozenset[str]:
        """For which roles this person's answer counts, of all or of one. Raises `OwnCall`, `NotFound` for none."""
        asker = replace(asked.asker, others=tuple(self._vault.name_of(each) or "" for each in asked.askers))
        roles = self.rules.may_answer(asked.question.wanted, who, asker, self._clock.now())
        mine = roles & {role} if role else roles
        if not mine:
            unfit(asked, who, asker.is_one(who.person))
        return mine

    def answer(
        self, id_: str, who: Caller, allowed: bool, reason: str, *, revision: str, by: str = "", role: str = ""
    ) -> Approval:
        """What one person says to a question. `revision` is that in force, `by` how they came, where it was not by
        their own credential, `role` the one in which they answer. Whoever agreed earlier counts while they still may.
        Raises `NotFound`, `OwnCall`, `NotOpen`, `BadInput`."""
        from fairlead.storage import approval_rows as table

        require_short(reason)
        asked, key = self.shown(id_, who), self._vault.subject_for(who.person)
        wanted, roles = asked.question.wanted, self.roles_of(asked, who, role)
        sealed, fallen = sealed_answer(self._vault, key, id_, reason, who), self._fallen(asked)
        with self._store.writing() as connection:
            now, row = self._clock.now(), table.one(connection, id_)
            require_open(row, id_, revision, now)
            askers = table.askers(connection, id_)
            if key.id in askers:  # their call came meanwhile
                unfit(asked, who, own=True)
            before = table.answers(connection, id_)
            said = table.AnswerRow(
                approval=id_, approver=key.id, roles=_encode(sorted(roles)).decode(), allowed=allowed, at=now,
                sealed=sealed,
            )  # fmt: skip
            # Whose own call has come since they agreed does not count any more, nor who may not answer any more.
            others = [each for each in before if each.approver not in (*askers, *fallen, key.id)]
            state = after(wanted, [*others, said])
            if all(each.approver != key.id for each in before):
                table.insert_answer(connection, said)
            elif state != "granted":  # said again, it settles what others have agreed to since
                raise NotOpen(f"{who.person} has answered {id_} already", mend="somebody else may answer")
            if state != "pending":
                table.change(connection, id_, "pending", state, now)
            if state == "granted":
                self.agreed(connection, asked)
            kind = "approval_denied" if not allowed else "approval_granted" if state == "granted" else "approval_agreed"
            told = f"{id_} {asked.question.tool} as {', '.join(sorted(roles))}"
            self._keep(connection, deed(self._clock, kind, by=by or who.credential, person=key.id, about=told))
        return self.one(id_)

    def shown(self, id_: str, who: Caller) -> Approval:
        """One, to whoever asked it or may answer it. For everybody else it is as if it never was: `NotFound`."""
        found = self.one(id_)
        if not self._concerns(found, who):
            unknown(id_)
        return found

    def concerning(self, who: Caller, states: "Sequence[State]" = ()) -> list[Approval]:
        """Those that this person has asked or may answer."""
        return [each for each in self.all(states) if self._concerns(each, who)]

    def one(self, id_: str) -> Approval:
        """For whoever runs the deployment. Raises `NotFound`."""
        from fairlead.storage import approval_rows as table

        with self._store.reading() as connection:
            row = table.one(connection, id_)
            answers, askers = table.answers(connection, id_), table.askers(connection, id_)
        found = None if row is None else self._opened(row, answers, askers)
        return unknown(id_) if found is None else found

    def all(self, states: "Sequence[State]" = ()) -> list[Approval]:
        """For whoever runs the deployment. Those of the erased are gone."""
        from fairlead.storage import approval_rows as table

        with self._store.reading() as connection:
            found = table.listed(connection, table.OPEN if states and set(states) <= set(table.OPEN) else ())
            rows = [(row, table.answers(connection, row.id), table.askers(connection, row.id)) for row in found]
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
                told = f"{row.id} {row.tool}"
                self._keep(
                    connection, deed(self._clock, "approval_expired", by="fairlead", person=row.subject, about=told)
                )
            table.forget(connection, now - self.keep)

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

    def _concerns(self, found: Approval, who: Caller) -> bool:
        question = found.question
        if (question.person, question.tenant) == (who.person, who.tenant):
            return True
        if found.askers and question.tenant == who.tenant and self._vault.id_of(who.person) in found.askers:
            return True
        return bool(self.rules.may_answer(question.wanted, who, found.asker, self._clock.now()))

    def _new(self, question: Question, now: int) -> Approval:
        return Approval(
            id=new_id(self._clock, "apr"), state="pending", asked_at=now, expires_at=now + self.rules.lasts, ended_at=0,
            question=question,
        )  # fmt: skip

    def _opened(self, row: "ApprovalRow", answers: "list[AnswerRow]", askers: tuple[str, ...]) -> Approval | None:
        return opened_approval(self._vault, row, answers, askers, self._clock.now())

    def _fallen(self, asked: Approval) -> set[str]:
        """Those of who have agreed that may not any more."""
        from fairlead.storage import approval_rows as table

        with self._store.reading() as connection:
            said = table.answers(connection, asked.id)
        may = partial(self._may, asked)
        return {each.approver for each in said if not still_counts(self._vault, each, self.standing, may)}

    def _may(self, asked: Approval, who: Caller) -> frozenset[str]:
        return self.rules.may_answer(asked.question.wanted, who, asked.asker, self._clock.now())

    def _keep(self, connection: "Connection", entry: Entry) -> None:
        self._store.database.append(connection, [entry])


def _as_they_stood(who: Caller) -> Caller:
    """Where nothing is known of how somebody stands by now."""
    return who


def _unnoticed(connection: "Connection", asked: Approval) -> None:
    """Nobody is told."""
