"""A cascade: the attempts of the path, one model after the other, until an answer passes the checks that it must.

Each attempt is held, settled and recorded by itself, and nothing of an answer leaves before it is kept. No check that
holds elsewhere is weaker here: what a rule keeps back of the last answer is kept back.
"""

from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.costs.record import Record
from fairlead.costs.told import Checked
from fairlead.errors import FairleadError, NotRedactable, OverBudget, Refused, Upstream, Withheld
from fairlead.execution.at_cap import reserved
from fairlead.execution.attempts import attempt
from fairlead.execution.choices import Reply
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.ending import finished
from fairlead.execution.flow_path import extracted
from fairlead.execution.judging import Ask
from fairlead.execution.keeping import DECLINED, looked_over
from fairlead.execution.opinion import Opinion
from fairlead.execution.prepare import Decided
from fairlead.execution.release import Release
from fairlead.execution.stopping import refuse_ended
from fairlead.execution.turn import taken_in_turn
from fairlead.lanes.rates import TooFast
from fairlead.lanes.refusals import LaneFull, WaitedTooLong
from fairlead.models.types import Model
from fairlead.routing.cascade import dearer
from fairlead.tasks.cascades import Cascade

KEPT_ANYWAY: Final = "kept_anyway"
_NOT_TO_BE_HAD: Final = (NotRedactable, OverBudget, Upstream, TooFast, LaneFull, WaitedTooLong)
"""What may come between an answer that is not kept and the next one."""


class NotKept(Refused):
    """No model gave an answer that passes the checks which the task type's cascade names.

    Each attempt is billed, and its record has the check that it did not pass. Name a better model last in `cascade`,
    or let what fails be given with a warning: `otherwise: keep`.
    """

    code = "not_kept"
    status = 422


@dataclass(slots=True)
class _Tried:
    """What an attempt came to. `reply` is None where a rule kept it back, which is then the `error`. Of one that
    does not pass, the rules about the whole of a reply were not asked yet."""

    model: Model
    release: Release
    reply: Reply | None
    checks: tuple[Checked, ...]
    error: Withheld | None = None

    @property
    def failed(self) -> Checked | None:
        return next((each for each in self.checks if not each.passed), None)


@dataclass(slots=True)
class _Climb:
    """One action's way up."""

    ask: Ask
    fairlead: Fairlead
    deployment: Deployment
    action: Action
    cascade: Cascade
    release: Release
    opinion: Opinion | None

    async def go(self, decided: Decided) -> tuple[Model, Reply]:
        """The first answer that passes, or the last one as the cascade has it."""
        action, steps, hits = self.action, 0, set(self.action.hits)
        below: tuple[_Tried, Record] | None = None
        while True:
            try:
                if below is not None:
                    decided = await self._onwards(decided)
                tried = await self._tried(decided, first=below is None)
            except _NOT_TO_BE_HAD as error:
                if below is None:
                    raise
                return await self._after_all(decided, *below, error)
            failed = tried.failed
            if failed is None and tried.reply is not None:
                return tried.model, tried.reply
            assert failed is not None, "a reply that is not there was kept back"
            left = dearer(decided.plan.candidates, tried.model)
            if not left or steps == self.cascade.at_most:
                return await self._last_word(decided, tried, failed)
            below, steps = (tried, action.escalate(failed, hits)), steps + 1
            decided = replace(decided, plan=replace(decided.plan, candidates=left))

    async def _onwards(self, decided: Decided) -> Decided:
        """Wait for a place at the next model, and hold what it may cost."""
        decided = await taken_in_turn(self.fairlead, self.deployment, self.action, decided)
        with self.action.step("reserve"):
            return await reserved(self.fairlead, self.deployment, self.action, decided)

    async def _tried(self, decided: Decided, *, first: bool) -> _Tried:
        """One answer, and whether it passes. Raises `Withheld` where no check of the cascade is about rules."""
        release, checks, reply = self.release.anew(), list[Checked](), None
        wanted = decided.plan.checks
        try:
            with self.action.step("attempt"):
                model = await attempt(self.fairlead, self.deployment, self.action, decided, release)
            with self.action.step("check"):
                reply = release.check()
                checks += await self._checked(decided, reply, first=first)
                if all(each.passed for each in checks):
                    reply = await self._finished(decided, release, reply)
                    checks += [Checked("rules", True)] if "rules" in wanted else []
        except Withheld as error:
            if "rules" not in wanted:
                raise
            names = ", ".join(error.policies)
            checks.append(Checked("rules", False, names, f"a rule keeps it back: {names or 'a policy that failed'}"))
            self.action.checks = tuple(checks)
            return _Tried(self._attempted(decided), release, None, self.action.checks, error=error)
        self.action.checks = tuple(checks)
        return _Tried(model, release, reply, self.action.checks)

    def _attempted(self, decided: Decided) -> Model:
        name = self.action.attempted
        return next(each.model for each in decided.plan.candidates if each.model.name == name)

    async def _checked(self, decided: Decided, reply: Reply, *, first: bool) -> list[Checked]:
        """The checks up to the first that fails. Of agreement the first answer alone is asked."""
        found = []
        for each in looked_over(self.cascade, decided.plan.checks, decided, reply):
            found.append(each)
            if not each.passed:
                return found
        if self.opinion is not None and first:
            with self.action.trace.waiting():
                found.append(await self.opinion.of(reply))
        return found

    async def _finished(self, decided: Decided, release: Release, reply: Reply) -> Reply:
        return await finished(self.ask, self.fairlead, self.deployment, self.action, decided, release, reply)

    async def _last_word(self, decided: Decided, tried: _Tried, failed: Checked) -> tuple[Model, Reply]:
        """The last answer does not pass: it is refused, or given with a warning. That nobody knows is an answer."""
        if tried.error is not None:
            raise tried.error
        declined = failed.check == "grounded" and failed.word == DECLINED
        if tried.reply is None or not (declined or failed.check in self.cascade.keeps):
            raise NotKept(
                f"no answer passes what task type {decided.task.type.name!r} asks of it",
                why=f"that of {tried.model.name!r}, the last one asked: {failed.said}",
                mend="ask in other words, or have its owner name a better model last; see `cascade` in the task type",
                step="check",
                subject=tried.model.name,
            )
        if not declined:
            self.action.flags.append(KEPT_ANYWAY)
        with self.action.step("check"):
            return tried.model, await self._finished(decided, tried.release, tried.reply)

    async def _after_all(
        self, decided: Decided, tried: _Tried, record: Record, error: FairleadError
    ) -> tuple[Model, Reply]:
        """No better answer is to be had: the one before is given with a warning, or refused by what came between."""
        failed = tried.failed
        assert failed is not None
        if tried.reply is None or failed.check not in self.cascade.keeps:
            said = f"the answer of {tried.model.name!r} was not kept: {failed.said}"
            error.why = f"{error.why}; {said}" if error.why else said
            raise error
        refuse_ended(self.fairlead, self.action, tried.model)
        self.action.stand_in(record, tried.release)
        self.action.checks = tried.checks
        self.action.flags += [KEPT_ANYWAY, error.code]
        with self.action.step("check"):
            return tried.model, await self._finished(decided, tried.release, tried.reply)


async def cascaded(
    ask: Ask, fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, release: Release
) -> tuple[Model, Reply]:
    """Who answered, and the answer that is kept. The first candidate's hold is in place.

    Raises what `attempt` and `ended` raise, and `NotKept`.
    """
    cascade = decided.task.type.cascade
    assert cascade is not None, "a plan has checks where there is a cascade"
    opinion = Opinion(ask, fairlead, deployment, action, decided) if "agreement" in decided.plan.checks else None
    try:
        model, reply = await _Climb(ask, fairlead, deployment, action, cascade, release, opinion).go(decided)
    finally:
        if opinion is not None:
            await opinion.close()
    with action.step("check"):
        await extracted(fairlead, deployment, action, decided, reply)
    return model, reply
