"""Labelled examples: what people gave in a model's place, or in place of what it gave, beside what had been asked.

One home for whatever teaches: answers of experts to steps of workflows, what people filled in where a workflow asked
them, and corrections said as feedback. An example is written in the transaction that takes the answer. It is sealed
under the keys of both its persons, whose run it was and who answered: erasing either makes every copy unreadable. It is
kept as long as payloads of its class and task are. `taught` reads them again. Every method reads the database: call it
in a thread.
"""

from hashlib import sha256
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.costs.record import Record, decode_record
from fairlead.errors import Broken
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.policy import Policy
from fairlead.storage.store import Store
from fairlead.storage.types import NewExample
from fairlead.storage.vault import SubjectKey, Vault

Source = Literal["expert", "approval", "correction"]
Message = tuple[str, str]
"""Who says it (`system`, `user`, `assistant`), and what."""

_HOUSE: Final = frozenset({"person", "model", "python", "page"})
"""Kinds of sources of which nobody says that outsiders write there."""


class Rejected(Struct, frozen=True, array_like=True):
    """What a model gave that was not taken: which model, in which action."""

    model: str
    run: str
    text: str


class Lesson(Struct, frozen=True, kw_only=True):
    """An answer with all that it is an example of. `subject` is the id of whose run it was, `person` who answered, in
    the role `role`. Of a workflow's, `run` and `place`; `action` is the governed action that came before. `labels` and
    `sources` are those of what was asked, as far as they are known."""

    source: Source
    subject: str
    person: str
    tenant: str
    department: str
    messages: tuple[Message, ...]
    answer: Any
    schema: dict[str, Any] = {}
    rejected: tuple[Rejected, ...] = ()
    labels: Labels = NO_LABELS
    sources: tuple[str, ...] = ()
    role: str = ""
    task: str = ""
    workflow: str = ""
    run: str = ""
    place: str = ""
    action: str = ""
    reason: str = ""
    code: str = ""


class Content(Struct, frozen=True, array_like=True):
    """An example as it is sealed. `untrusted` are those of its sources into which outsiders can write."""

    messages: list[Message]
    answer: Any
    schema: dict[str, Any]
    rejected: list[Rejected]
    categories: list[str]
    sources: list[str]
    untrusted: list[str]
    citations: list[str]
    person: str
    role: str


_encode = msgspec.msgpack.Encoder().encode


class Examples:
    """The examples of a deployment, under the revision in force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._policy: Policy | None = None
        self._keep = False
        self._store = store
        self._vault = vault
        self._clock = clock

    def take_up(self, policy: Policy, *, keep: bool) -> None:
        """Another revision has come into force. Without `keep` none are kept: nothing that is said is."""
        self._policy, self._keep = policy, keep

    def made(self, lesson: Lesson) -> NewExample | None:
        """The example, to be written with the answer; None where none is kept, or where whose run it was is gone."""
        if self._policy is None:
            raise Broken("no revision is in force here yet", mend="try again shortly")
        subject = self._vault.key_of(lesson.subject) if self._keep else None
        if subject is None:
            return None
        record, by = self._recorded(lesson.action), self._vault.subject_for(lesson.person)
        labels = self._looked_at(self._policy, lesson, record)
        content = _content(self._policy, lesson, labels, record)
        id_ = _id(lesson, by.id)
        return NewExample(
            id=id_,
            subject=subject.id,
            by=by.id,
            tenant=lesson.tenant,
            department=lesson.department,
            source=lesson.source,
            task=lesson.task or (record.task if record is not None else ""),
            workflow=lesson.workflow,
            run=lesson.run,
            place=lesson.place,
            action=lesson.action,
            reason=lesson.reason,
            code=lesson.code,
            revision=record.revision if record is not None else "",
            snapshot=record.snapshot if record is not None else "",
            data_class=labels.data_class.value,
            at=self._clock.now(),
            sealed=self._sealed(id_, subject, by, content),
        )

    def _recorded(self, action: str) -> Record | None:
        """What the log says of the action that came before."""
        from fairlead.storage.outcome_rows import records_of

        if not action:
            return None
        self._store.bring_in_order()
        with self._store.reading() as connection:
            found = [decode_record(each) for each in records_of(connection, action)]
        return next((each for each in reversed(found) if each.kind == "call_model"), found[-1] if found else None)

    def _looked_at(self, policy: Policy, lesson: Lesson, record: Record | None) -> Labels:
        """What is known of all that was asked and answered, and what detectors find in it."""
        labels = lesson.labels
        if record is not None:
            known = DataClass.__members__.get(record.data_class, DataClass.public)
            labels = labels.joined(Labels(known, frozenset(record.categories)))
        texts = [text for _, text in lesson.messages] + [each.text for each in lesson.rejected] + [said(lesson.answer)]
        for text in texts:
            labels = labels.joined(policy.detect_text(text).labels)
        return labels

    def _sealed(self, id_: str, subject: SubjectKey, by: SubjectKey, content: Content) -> bytes:
        """Under the key of who answered, and that under the key of whose run it was."""
        return self._vault.seal(subject, self._vault.seal(by, _encode(content), about_example(id_)), about_example(id_))


def _content(policy: Policy, lesson: Lesson, labels: Labels, record: Record | None) -> Content:
    return Content(
        messages=list(lesson.messages),
        answer=lesson.answer,
        schema=lesson.schema,
        rejected=list(lesson.rejected),
        categories=sorted(labels.categories),
        sources=list(lesson.sources),
        untrusted=[each for each in lesson.sources if _outside(policy, each)],
        citations=list(record.citations) if record is not None else [],
        person=lesson.person,
        role=lesson.role,
    )


def said(answer: Any) -> str:
    """An answer as a model would give it: text, or JSON."""
    return answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()


def _outside(policy: Policy, source: str) -> bool:
    return source.partition(":")[0] not in _HOUSE and not policy.tools.trusts(source)


def refuse(store: Store, run: str, place: str) -> None:
    """What was answered at this place of a run does not pass the check of its step: it stays, and is told so. To say so
    again changes nothing."""
    from fairlead.storage import example_rows as table

    id_ = _digest("", run, place)
    with store.reading() as connection:
        if not table.is_accepted(connection, id_):
            return
    with store.writing() as connection:
        table.refuse(connection, id_)


def _id(lesson: Lesson, by: str) -> str:
    """The same for what takes the place of another: an answer at one place, or one person's word about one action."""
    if lesson.source == "correction":
        return _digest("correction", lesson.action, by)
    return _digest("", lesson.run, lesson.place)


def _digest(*parts: str) -> str:
    digest = sha256("\0".join(parts).encode()).hexdigest()
    return f"ex_{digest[:24]}"


def about_example(id_: str) -> bytes:
    """What a sealed example is bound to: it opens in no other place."""
    return f"example\0{id_}".encode()
