"""Walks a compiled definition. Pure but for the effects that are handed in, so that a run, its replay, a dry run and an
estimate take the very same walk.

The same recorded results lead to the same walk: there is no clock and no chance in it. After a crash or a park it is
walked again from the start, and whatever was done gives what it gave.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from fairlead.labels import NO_LABELS, Labels
from fairlead.workflows.doing import done, work_of
from fairlead.workflows.nodes import ErrorKind, ExpertSettings, RetrySettings, seconds
from fairlead.workflows.passing import passed
from fairlead.workflows.program import Block, Compiled, Flow, Program
from fairlead.workflows.scope import Flowing, Halt, Purse, Scope
from fairlead.workflows.step_parts import Again, asked_of, effect, evaluated, flowed, last_of, paid, side_by_side
from fairlead.workflows.templates import as_text
from fairlead.workflows.together import Halted, each_after
from fairlead.workflows.undoing import Undoing
from fairlead.workflows.waits import sooner
from fairlead.workflows.walk import Cancelled, Effects, Place, RunFailed, StepFailed, StepResult, Waiting, Work

_EFFECTS: Final = ("model", "agent", "tool", "python")
_ASKED_AGAIN: Final = 2  # times that an expert is told that what they gave does not pass
_TURN: Final = 50  # steps after which other walks go on
_MOST_STEPS: Final = 1_000_000
_TIMED: Final = ("approval", "wait")  # they look at their time themselves


async def walked(
    program: Program,
    effects: Effects,
    run: str,
    given: Mapping[str, Any],
    *,
    about: Mapping[str, Any] | None = None,
    labels: Labels = NO_LABELS,
    sources: tuple[str, ...] = (),
) -> StepResult:
    """What a run gives. `given` is its input, with these labels and sources; `about` what expressions see as `run`.

    Raises `Parked`; `RunFailed` or `Cancelled` once all that had to be undone was tried. Any other exception is a fault
    of an effect's: nothing was undone, and the run can be walked again.
    """
    walk = Walk(program, effects, run, dict(about or {"id": run}))
    return await walk.whole(given, (labels, sources))


class Walk:
    """One walk of one run."""

    def __init__(self, program: Program, effects: Effects, run: str, about: dict[str, Any]) -> None:
        self.program = program
        self.effects = effects
        self.about = about
        self._root = Place(run, ())
        self._undoing = Undoing()
        self._steps = 0

    async def whole(self, given: Mapping[str, Any], flowing: Flowing) -> StepResult:
        """Raises as `walked` does: `RunFailed`, `Cancelled` or `Parked`."""
        scope = Scope({"run": self.about}, Purse(), Halt(), flows={"input": flowing})
        try:
            return await self.flow(self.program.main, self._root, scope, given)
        except StepFailed as failure:
            undone, not_undone = await self._undoing.all(self)
            raise RunFailed(failure, undone, not_undone) from failure
        except Cancelled as cancelled:
            cancelled.undone, cancelled.not_undone = await self._undoing.all(self)
            raise

    async def flow(self, flow: Flow, at: Place, scope: Scope, given: Mapping[str, Any]) -> StepResult:
        """A definition with its input: the run's own, or a subflow's."""
        value, wrong = flow.input.taken(dict(given))
        if wrong:
            raise StepFailed("error", f"the input of {flow.name} is not as it should be: {wrong}", code="bad_input")
        definition = flow.definition
        scope = await self.timed(definition.timeout, at, scope)
        scope = scope.spending(definition.budget).classed(definition.data_class)
        scope = replace(scope, names={"input": value, "run": self.about}, results={})
        results = await self.block(flow.block, at, scope)
        if flow.output is None:
            return last_of(flow.block, results)
        inside = scope.knowing(results)
        labels, provenance = inside.flowing(use.path for each in flow.output.expressions for use in each.uses)
        value = evaluated(partial(flow.output.filled, inside.given))
        return StepResult(
            value=value, text=as_text(value), labels=labels, provenance=provenance, cost=scope.purse.spent
        )

    async def block(self, block: Block, at: Place, scope: Scope) -> dict[str, StepResult]:
        """The results of a list of steps by id, without those that were left out."""
        results: dict[str, StepResult] = {}

        async def one(compiled: Compiled, scope: Scope) -> None:
            sees = {id: results[id] for id in compiled.sees if id in results}
            result = await self.step(compiled, at, scope.knowing(sees).at(compiled.rank))
            if result is not None:
                results[compiled.step.id] = result

        if block.straight:
            for compiled in block.steps:
                await one(compiled, scope)
            return results
        apart = scope.apart()
        ranks = {compiled.step.id: rank for rank, compiled in enumerate(block.steps)}
        follows = [tuple(ranks[id] for id in compiled.follows) for compiled in block.steps]
        mark = at.below("~failed", block.steps[0].step.id)
        every = partial(each_after, follows, lambda rank: one(block.steps[rank], apart), apart.halt)
        await side_by_side(self, mark, apart, every)
        return results

    async def step(self, compiled: Compiled, above: Place, scope: Scope) -> StepResult | None:
        """What a step gives, None where it is left out."""
        step, at = compiled.step, above.below(compiled.step.id)
        await self._count(at)
        if compiled.when is not None and not evaluated(partial(compiled.when.holds, scope.given)):
            self.effects.noted(at, "left out")
            return None
        self.effects.noted(at, "begun")
        inside = scope.spending(step.budget).classed(step.data_class)
        if compiled.undo is not None:
            inside = replace(inside, undone=True)
        try:
            result = await self._with_expert(compiled, at, inside)
        except StepFailed as failed:
            failed.at = failed.at or at.text
            self.effects.noted(at, "failed")
            if failed.may_be_done and compiled.undo is not None:
                self._undoing.add(compiled, at, scope)
            if "failed" not in compiled.blocks:
                raise
            return await self._otherwise(compiled.blocks["failed"], at, inside, failed)
        if compiled.undo is not None:
            self._undoing.add(compiled, at, scope.knowing({step.id: result}))
        self.effects.noted(at, "done", result)
        return result

    async def _count(self, at: Place) -> None:
        """Let others have their turn now and then: steps that only reckon wait for nothing."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise StepFailed(
                "error",
                f"the run has more than {_MOST_STEPS:,} steps, those of items and turns counted each",
                at=at.text,
                code="too_many_steps",
                mend="have loops end sooner, or a python function do what is only reckoned",
            )
        if self._steps % _TURN == 0:
            await asyncio.sleep(0)

    async def _otherwise(self, block: Block, at: Place, scope: Scope, failed: StepFailed) -> StepResult:
        error = {"step": failed.at, "kind": failed.kind, "message": failed.message, "code": failed.code}
        return last_of(block, await self.block(block, at, scope.naming(error=error)))

    async def _with_expert(self, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
        """The step; and where no model may or can do it, a person who can. Whose answer does not pass is asked anew
        and told why."""
        expert = getattr(compiled.node, "expert", None)
        try:
            return await self._tried(compiled, at, scope)
        except StepFailed as failed:
            if expert is None or failed.kind not in expert.errors:
                raise
            show: dict[str, Any] = {"failed": failed.kind, "message": failed.message}
            work = partial(work_of, compiled, scope, reason=failed.kind, code=failed.code)
        for tries in range(_ASKED_AGAIN + 1):
            place, answered = at.below("~expert"), at
            if tries:
                place, answered = _anew(place, tries), _anew(at, tries)
            result = await self._asked(compiled, place, scope, expert, show, work)
            try:
                return await self._let_pass(compiled, answered, scope, result)
            except StepFailed as failed:
                if tries == _ASKED_AGAIN:
                    raise
                show = {"failed": failed.kind, "message": failed.message, "answered": result.value}
        raise AssertionError("the last answer passes or raises")

    async def _asked(
        self,
        compiled: Compiled,
        place: Place,
        scope: Scope,
        expert: ExpertSettings,
        show: dict[str, Any],
        work: Callable[..., Work],
    ) -> StepResult:
        """What an expert gives for the step."""
        asked, began = asked_of(compiled, scope), place.below("~began")
        begun = await effect(self, began, scope, partial(self.effects.now, began))
        waiting = Waiting(
            kind="question",
            id=place.text,
            until=sooner(begun + 1000 * seconds(expert.timeout), scope.deadline),
            role=expert.role,
            ask=asked.prompt,
            show=show,
            answer=compiled.node.gives,
            work=work(instructions=asked.instructions),
        )
        result = await paid(self, place, scope, partial(self.effects.answer, place, None, waiting))
        return flowed(compiled, scope, result)

    async def _let_pass(self, compiled: Compiled, at: Place, scope: Scope, result: StepResult) -> StepResult:
        """What a person gave for the step, checked as everything is."""
        try:
            return evaluated(partial(passed, compiled, result, scope.given))
        except StepFailed:
            await self.effects.not_accepted(at)
            raise

    async def _tried(self, compiled: Compiled, at: Place, scope: Scope) -> StepResult:
        """The step, tried as often as it says, each result checked."""
        step, retry, kind = compiled.step, compiled.step.retry, compiled.kind
        if step.timeout is not None and kind not in _TIMED and (retry is not None or kind not in _EFFECTS):
            scope = await self.timed(step.timeout, at, scope)
        place, again, tries, cut_off = at, Again(), 0, False
        while True:
            try:
                result = await done(self, compiled, place, scope, again)
                if kind == "approval":
                    return await self._let_pass(compiled, place, scope, result)
                return evaluated(partial(passed, compiled, result, scope.given))
            except StepFailed as failed:
                tries += 1
                cut_off = failed.cut_off = failed.cut_off or cut_off
                if retry is None or tries >= retry.attempts or failed.kind not in retry.errors:
                    raise
                if failed.in_doubt or not _may_repeat(kind, failed.kind):
                    raise
                if failed.result is None:
                    place = place.tried(place.attempt + 1)
                else:  # the model has answered, and hears what was wrong with that
                    reply = failed.result.text or as_text(failed.result.value)
                    place, again = _anew(at, tries), Again(failed.message, reply)
                await self._paused(at.below("~pause", tries), place, scope, retry, tries)

    async def _paused(self, at: Place, before: Place, scope: Scope, retry: RetrySettings, tries: int) -> None:
        """Wait before another attempt. It is not waited for an attempt that does not follow."""
        wait = min(seconds(retry.most_wait), seconds(retry.wait) * retry.backoff ** (tries - 1))
        if scope.halt.on and not self.effects.begun(before):
            raise Halted
        await self.effects.pause(at, wait)

    async def timed(self, most: str | None, at: Place, scope: Scope) -> Scope:
        """Within so much time from now on."""
        if most is None:
            return scope
        place = at.below("~began")
        begun = await effect(self, place, scope, partial(self.effects.now, place))
        return scope.until(begun + 1000 * seconds(most))


def _may_repeat(kind: str, failed: ErrorKind) -> bool:
    """What did not pass is only asked of models again: a tool has done what it was told."""
    return kind in _EFFECTS and (failed != "check" or kind in ("model", "agent"))


def _anew(at: Place, tries: int) -> Place:
    """Where a question is asked anew: it is another effect, with a key of its own."""
    return Place(at.run, (*at.path[:-1], f"{at.path[-1]}~{tries}"))
