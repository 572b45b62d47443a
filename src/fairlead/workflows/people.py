"""What runs ask people, and what they say: approvals, questions to experts, and signals.

Who may answer is what the workspace says of approvals: whoever has the role, and never whose run it is. The answer that
settles a question is kept before the run goes on, whether anything walks it just then or not. Every method reads or
writes the database: call it in a thread.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.execution.approval_question import OwnCall
from fairlead.identity.types import Caller
from fairlead.learning.examples import Examples
from fairlead.policy.approvals import ApprovalRules, Asker
from fairlead.storage.store import Store
from fairlead.storage.types import NewExample
from fairlead.storage.workflow_step_rows import Wait
from fairlead.workflows.forms import Form
from fairlead.workflows.lessons import lesson_of
from fairlead.workflows.nodes import Schema
from fairlead.workflows.opened import Opened
from fairlead.workflows.runs import Runs, no_run
from fairlead.workflows.steering import NotNow
from fairlead.workflows.walk import StepResult, Waiting

LONGEST_NOTE: Final = 1000  # characters
_SHOWN: Final = 200  # letters of a place that there is not
_PEOPLE: Final = ("approval", "question")


class Asking(Struct, frozen=True, kw_only=True):
    """A question of a run: where it stands, and whose run that is."""

    opened: Opened
    wait: Wait
    waiting: Waiting

    @property
    def asker(self) -> Asker:
        """Whose run it is, as policies on who may answer take them."""
        caller = self.opened.begun.caller
        return Asker(caller.person, caller.tenant, caller.department, self.wait.asked_at)


class Said(Struct, frozen=True, kw_only=True):
    """What somebody says. `value` is what the question asks to be filled in."""

    allowed: bool
    note: str = ""
    value: Any = None


class People:
    """The questions of all runs of a deployment, and their answers. `rules` gives who may answer now, `standing` how
    somebody who answered earlier stands by now (it raises for who is gone)."""

    def __init__(
        self,
        store: Store,
        runs: Runs,
        clock: Clock,
        rules: Callable[[], ApprovalRules],
        examples: Examples,
        standing: Callable[[Caller], Caller],
    ) -> None:
        self._examples = examples
        self.standing = standing
        self._store = store
        self._runs = runs
        self._clock = clock
        self._rules = rules

    def asked(self, who: Caller) -> Iterator[Asking]:
        """What waits for this person's answer, run by run."""
        from fairlead.storage import workflow_step_rows as steps

        with self._store.reading() as connection:
            found = dict.fromkeys(each.run for kind in _PEOPLE for each in steps.waits(connection, kind=kind))
        for run in found:
            try:
                opened = self._runs.open(run)
            except NotFound:  # it went with its person meanwhile
                continue
            yield from (each for each in self._questions(opened) if self._may(each, who))

    def answer(self, id_: str, place: str, who: Caller, said: Said) -> bool:
        """What one person says to a run. Whether the question is settled by it. Raises `NotFound`, `OwnCall`, `NotNow`,
        `BadInput`."""
        if self._runs.one(id_).unkept:
            raise no_run(id_)  # it asks nobody: whoever answers it learns nothing of it, not even that it is there
        opened = self._runs.open(id_)
        asking = self._question(opened, place)
        self._require_fit(asking, who, said)
        by = [who.person]
        if said.allowed and asking.waiting.quorum > 1:
            agreed, new = self._runs.agreed(opened, place, who)
            by = [each.person for each in agreed if each.person == who.person or self._still_may(asking, each)]
            if len(by) < asking.waiting.quorum:
                if new:
                    return False
                raise NotNow(f"{who.person} has answered {place} already", mend="somebody else may answer")
        kind = "workflow_approved" if said.allowed else "workflow_denied"
        result = replace(_result(asking.waiting, said, by), asked_at=asking.wait.asked_at)
        taught = partial(self._teaches, asking, who, said, result)
        until = asking.wait.until
        if not self._runs.answer(opened, place, result, by=who.credential, kind=kind, until=until, taught=taught):
            raise NotNow(f"{place} of run {opened.run.id} was answered before, or its time is over", mend=_look(opened))
        return True

    def signal(self, opened: Opened, name: str, value: Any, by: str) -> int:
        """Send a run what it waits for under this name. At how many places it was. Raises `NotFound` for none,
        `NotNow` where it was sent before, `BadInput` where the content is not as the step says."""
        found = [each for each in self._open(opened) if each[1].kind == "signal" and each[1].signal == name]
        if not found:
            why = "a signal is taken while a step waits for it"
            raise NotFound(f"run {opened.run.id} waits for no signal {name!r}", why=why, mend=_look(opened))
        kept = 0
        for wait, each in found:
            fit = _fit(each, value)
            result = StepResult(value=fit, text=fit if isinstance(fit, str) else "", asked_at=wait.asked_at)
            kept += self._runs.answer(opened, wait.place, result, by=by, kind="workflow_signalled", until=wait.until)
        if not kept:
            raise NotNow(f"run {opened.run.id} was sent {name!r} before, or its time is over", mend=_look(opened))
        return kept

    def _teaches(self, asking: Asking, who: Caller, said: Said, result: StepResult) -> NewExample | None:
        """What an answer is an example of: of work that was done, and of no other word."""
        if not said.allowed or asking.waiting.work is None:
            return None
        value = result.value if asking.waiting.kind == "question" else result.value["answer"]
        return self._examples.made(lesson_of(asking.opened, asking.wait.place, asking.waiting, who, value))

    def _questions(self, opened: Opened) -> Iterator[Asking]:
        for wait, waiting in self._open(opened):
            if wait.kind in _PEOPLE:
                yield Asking(opened=opened, wait=wait, waiting=waiting)

    def _open(self, opened: Opened) -> list[tuple[Wait, Waiting]]:
        """What may still be answered: once its time is over the step does what it says of that, whenever the run is
        walked again."""
        now = self._clock.now()
        return [each for each in self._runs.waits(opened) if not 0 < each[0].until <= now]

    def _question(self, opened: Opened, place: str) -> Asking:
        found = next((each for each in self._questions(opened) if each.wait.place == place), None)
        if found is None:
            why = "it was answered, its time is over, or there is no such step"
            raise NotFound(f"run {opened.run.id} asks nothing at {place[:_SHOWN]!r}", why=why, mend=_look(opened))
        return found

    def _may(self, asking: Asking, who: Caller) -> bool:
        waiting, now = asking.waiting, self._clock.now()
        roles = {waiting.role}
        if waiting.escalate_to and now >= asking.wait.asked_at + waiting.escalate_after * 1000:
            roles.add(waiting.escalate_to)
        return bool(self._rules().may_answer(roles, who, asking.asker, now))

    def _still_may(self, asking: Asking, who: Caller) -> bool:
        """Whether somebody who agreed earlier may answer now as well."""
        try:
            return self._may(asking, self.standing(who))
        except FairleadError:  # their key is gone, or their provider has sent them away
            return False

    def _require_fit(self, asking: Asking, who: Caller, said: Said) -> None:
        run = asking.opened.run
        if who.person.casefold() == asking.asker.person.casefold():
            raise OwnCall(
                f"{asking.wait.place} of run {run.id} is a question of your own run",
                why="nobody approves what was begun for themselves",
                mend=f"somebody else who has the role {asking.waiting.role!r} must answer",
                subject=run.id,
            )
        if not self._may(asking, who):
            raise no_run(run.id)
        if len(said.note) > LONGEST_NOTE:
            raise BadInput(
                f"the note has {len(said.note)} characters", why=f"{LONGEST_NOTE} are the most", mend="shorten it"
            )
        if said.allowed:
            _fit(asking.waiting, said.value)


def _fit(waiting: Waiting, value: Any) -> Any:
    """The value as its schema has it, with defaults. Raises `BadInput`."""
    if not waiting.answer:
        return value
    fit, wrong = Form(waiting.answer, "answer").taken(value)
    if wrong:
        raise BadInput(f"the answer does not fit: {wrong}", mend=_wanted(waiting.answer), param="value")
    return fit


def _wanted(schema: Schema) -> str:
    """What may be filled in, for whoever filled in something else."""
    needed = schema.get("required", ())
    keys = [f"{key} (needed)" if key in needed else key for key in schema.get("properties") or {}]
    return f"give JSON with: {', '.join(keys)}" if keys else "give what the step's schema asks for"


def _result(waiting: Waiting, said: Said, by: list[str]) -> StepResult:
    """What the step gives: of an expert, their work; of an approval, the answer with who gave it."""
    provenance, value = tuple(f"person:{each}" for each in by), _fit(waiting, said.value) if said.allowed else None
    if waiting.kind == "question":
        return StepResult(value=value, text=value if isinstance(value, str) else "", provenance=provenance)
    told = {"approved": said.allowed, "by": by, "note": said.note, "answer": value}
    return StepResult(value=told, text=said.note, provenance=provenance)


def _look(opened: Opened) -> str:
    return f"see what has become of it: fairlead workflow status {opened.run.id}"
