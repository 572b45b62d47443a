"""What people say of how well a run was done, taken at a door: bounded, permitted, and recorded in one commit with its
place among the outcomes.

A run of which somebody may not say anything is, for them, one that does not exist. Of one person's words about a run
the latest count; the log keeps them all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.costs.payload import Payload, decode_payload, encode_payload
from fairlead.costs.record import RECORD_VERSION, Record, decode_record, encode_record
from fairlead.errors import BadInput, NotFound
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.lanes.rate_settings import LimitsSettings, RateSettings
from fairlead.lanes.rates import Rates, TooFast
from fairlead.learning.asked import messages_of
from fairlead.learning.examples import Examples, Lesson, Rejected
from fairlead.learning.seen import propensity_of
from fairlead.learning.settings import OutcomesSettings, Source
from fairlead.policy.feedback import FeedbackRights
from fairlead.storage.journal import Journal
from fairlead.storage.store import Store
from fairlead.storage.types import Entry, NewExample, NewOutcome, Sealed, Write
from fairlead.storage.vault import SubjectKey, Vault

DOOR: Final = "fairlead.feedback"
LONGEST: Final = 20_000  # characters of a correction
SCORE: Final = 10_000
WEIGHT: Final = 1_000


class Said(Struct, frozen=True, kw_only=True):
    """What somebody says of a run: `score` from 0 to 1, and how it should have been, "" for nothing."""

    run: str
    score: float
    correction: str = ""


class _Text(Struct, frozen=True):
    """A correction that is to be kept, and what detectors found in it."""

    text: str
    labels: Labels


Look = Callable[[str], Awaitable[Labels]]


class Rules(Struct, frozen=True):
    """What a revision says about feedback. `keep` tells whether corrections are kept at all."""

    settings: OutcomesSettings = OutcomesSettings()
    rights: FeedbackRights = FeedbackRights()
    keep: bool = True


class Feedback:
    """Takes feedback, in one process. `rules` is replaced when another revision comes into force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, examples: Examples) -> None:
        self._examples = examples
        self._store = store
        self._vault = vault
        self._clock = clock
        self._rates = Rates(clock.monotonic)
        self.take_up(Rules())

    def take_up(self, rules: Rules) -> None:
        """Another revision has come into force."""
        self.rules = rules
        self._rates.limits = LimitsSettings(persons={"*": RateSettings(requests=rules.settings.feedback.per_minute)})

    async def give(self, journal: Journal, caller: Caller, said: Said, *, look: Look, workers: int = 1) -> NewOutcome:
        """Record what this caller says of a run. What they said before and say again changes nothing. `look` says what
        detectors find in a correction that is kept: the record has it, as of any text.

        Raises `TooFast`, `BadInput`, and `NotFound` for a run that is not there, was erased, or is not theirs to judge.
        """
        _require_fit(said)
        self._count(caller, workers)
        by, subject, ended = await asyncio.to_thread(self._judged, caller, said.run)
        new = self._outcome(by, ended, said)
        with_text = bool(said.correction) and self.rules.keep
        before = await asyncio.to_thread(self._before, new)
        if before is not None and not with_text and (before.score, before.source) == (new.score, new.source):
            return before
        labels = await look(said.correction) if with_text else NO_LABELS
        text = _Text(said.correction, labels) if with_text else None
        taught = None if text is None else await asyncio.to_thread(self._taught, caller, ended, text)
        receipt = await journal.commit(self._write(caller, subject, ended, new, text, taught))
        if not receipt.remembered:
            raise _unknown(said.run)
        return new

    def _count(self, caller: Caller, workers: int) -> None:
        self._rates.workers = workers
        try:
            self._rates.take(caller, "", "", 0)
        except TooFast as error:
            error.why = "outcomes.feedback.per_minute bounds how fast one person may judge"
            raise

    def _judged(self, caller: Caller, run: str) -> tuple[str, SubjectKey, Record]:
        """Who judges, the key of whose run it is, and its record. Reads the database."""
        from fairlead.storage import outcome_rows as table

        by = self._vault.subject_for(caller.person).id
        self._store.bring_in_order()
        with self._store.reading() as connection:
            records = [decode_record(each) for each in table.records_of(connection, run)]
        ended = next((each for each in reversed(records) if each.kind == "call_model" and each.outcome == "done"), None)
        name = None if ended is None else self._vault.name_of(ended.person)
        if ended is None or name is None or not self._may(caller, by, ended):
            raise _unknown(run)
        return by, self._vault.subject_for(name), ended

    def _may(self, caller: Caller, by: str, ended: Record) -> bool:
        own = (ended.person, ended.tenant) == (by, caller.tenant)
        if ended.judges or (ended.tenant != caller.tenant):
            return False
        rights = self.rules.rights
        return rights.decide(caller, ended.task, own=own, department=ended.department, door=DOOR).allowed

    def _before(self, new: NewOutcome) -> NewOutcome | None:
        from fairlead.storage import outcome_rows as table

        with self._store.reading() as connection:
            return table.outcome_of(connection, new.run, new.by)

    def _outcome(self, by: str, ended: Record, said: Said) -> NewOutcome:
        source: Source = "correction" if said.correction else "feedback"
        return NewOutcome(
            run=ended.run,
            by=by,
            subject=ended.person,
            entry=new_id(self._clock, "out"),
            at=self._clock.now(),
            source=source,
            task=ended.task,
            model=ended.model,
            score=round(said.score * SCORE),
            weight=round(self.rules.settings.weight(source) * WEIGHT),
            propensity=propensity_of(ended),
        )

    def _taught(self, caller: Caller, ended: Record, text: _Text) -> NewExample | None:
        """What a correction is an example of; None where what was asked is not kept any more. Reads the database."""
        from fairlead.storage import outcome_rows as table

        with self._store.reading() as connection:
            sealed = table.payload_of(connection, ended.run)
        if sealed is None:
            return None
        try:
            plain = self._vault.open_sealed(sealed.subject, sealed.ciphertext, ended.run.encode())
        except NotFound:
            return None
        kept = decode_payload(plain)
        lesson = Lesson(
            source="correction",
            subject=ended.person,
            person=caller.person,
            tenant=ended.tenant,
            department=ended.department,
            messages=tuple(messages_of(kept.body)),
            answer=text.text,
            rejected=(Rejected(ended.model, ended.run, kept.reply),),
            labels=text.labels,
            sources=ended.sources,
            task=ended.task,
            action=ended.run,
            reason="corrected",
        )
        return self._examples.made(lesson) if lesson.messages else None

    def _write(
        self,
        caller: Caller,
        subject: SubjectKey,
        ended: Record,
        new: NewOutcome,
        text: _Text | None,
        taught: NewExample | None,
    ) -> Write:
        sealed, labels = None, NO_LABELS
        if text is not None:
            labels = text.labels
            plain = encode_payload(Payload(b"", text.text))
            ciphertext = self._vault.seal(subject, plain, new.entry.encode())
            sealed = Sealed(subject.id, ciphertext)
        record = Record(
            v=RECORD_VERSION,
            kind="outcome",
            run=new.entry,
            at=new.at,
            about=new.run,
            agent=caller.agent,
            categories=tuple(sorted(labels.categories)),
            credential=caller.credential,
            data_class=_higher(ended.data_class, labels),
            department=caller.department,
            door=DOOR,
            model=new.model,
            outcome="done",
            payload="" if sealed is None else sha256(sealed.ciphertext).hexdigest(),
            person=new.by,
            score=new.score,
            source=new.source,
            task=new.task,
            tenant=caller.tenant,
            weight=new.weight,
        )
        return Write(
            entries=(Entry(new.entry, new.at, encode_record(record), payload=sealed),), outcome=new, example=taught
        )


def _higher(recorded: str, labels: Labels) -> str:
    """The data class of a run together with what is said of it: a correction may say more than its answer did."""
    known = DataClass.__members__.get(recorded, DataClass.public)
    return recorded if known >= labels.data_class else labels.data_class.name


def _require_fit(said: Said) -> None:
    if not 0 <= said.score <= 1:  # false for what is no number, too
        raise BadInput(
            f"score is {said.score!r}",
            why="it says how well a run was done, from 0 (useless) to 1 (as wanted)",
            mend="give a number from 0 to 1, or thumbs: up or down",
            param="score",
        )
    if len(said.correction) > LONGEST:
        raise BadInput(
            f"correction has {len(said.correction)} characters",
            why=f"{LONGEST} are kept at most",
            mend="say what matters of it",
            param="correction",
        )


def _unknown(run: str) -> NotFound:
    return NotFound(
        f"there is no run {run[:80]!r} that you may judge",
        why="it does not exist, has not ended with an answer, was erased, or is somebody else's",
        mend="give the run that `x-fairlead-run` named, with the credential that asked",
    )
