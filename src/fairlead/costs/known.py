"""What is known of an action: who asks and how they came, what the path has learnt and decided since, and the record
that says so. Nothing here spends."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from fairlead.clock import Clock, new_id
from fairlead.costs.outcomes import policies_of
from fairlead.costs.record import RECORD_VERSION, Declassified, Record
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
    Reservation,
    Rights,
    Taken,
    Unkept,
)
from fairlead.errors import Overloaded
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.storage.journal import Journal
from fairlead.storage.store import Away
from fairlead.storage.types import ScopeLimit
from fairlead.storage.vault import SubjectKey, Vault
from fairlead.tasks.types import Task
from fairlead.telemetry.trace import Trace


class Books:
    """What actions are kept by: the process's journal, the vault of subject keys, the clock."""

    def __init__(self, journal: Journal, vault: Vault, clock: Clock) -> None:
        self.journal = journal
        self.vault = vault
        self.clock = clock


class Known:
    """The path tells it what it learns (`task`, `pack`, `plan`…)."""

    def __init__(
        self, books: Books, caller: Caller, arrival: Arrival, deployment: Deployment, kind: ActionKind
    ) -> None:
        self.kind = kind
        self.books = books
        self.caller = caller
        self.arrival = arrival
        self.run = new_id(books.clock, "run")
        self.within = arrival.within
        self.at = books.clock.now()
        self.trace = Trace(self.run, time.perf_counter_ns)
        # One of the nine stages, as a context manager: times it, and marks errors that leave it with its name.
        self.step: Callable[[str], AbstractContextManager[None]] = self.trace.step
        self.task: Task | None = None
        self.tool = ""  # `system.tool`, of a tool's call
        self.labels: Labels | None = None
        self.pack: Pack | None = None
        self.gathered = b""  # what the pack was made of, so that it can be made again
        self.told = b""  # what policies were told beside the record, so that they can be asked again
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

    @property
    def attempt_id(self) -> str:
        """Unique for ever: what a provider gets as idempotency key."""
        return f"{self.run}.{self._attempt}"

    def secret_for(self, conversation: str) -> bytes:
        """What the pseudonyms of one of the caller's conversations are made with."""
        return self._subject.naming_secret(conversation)

    async def _looked_up(self) -> SubjectKey:
        try:
            return await asyncio.to_thread(self.books.vault.subject_for, self.caller.person)
        except Away as error:
            raise Overloaded(
                "the state database cannot be used just now",
                why=error.why,
                mend="try again shortly; if it lasts, run `fairlead doctor`",
                step="authenticate",
            ) from error

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
            workflow=self.arrival.workflow,
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
