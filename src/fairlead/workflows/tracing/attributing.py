"""Why a run failed: the step, the model and the input that is at the root of it, and the chain that led from there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expressions import Expression
from fairlead.workflows.tracing.dataflow import Dataflow, Spot, Taken, at_path
from fairlead.workflows.tracing.facts import Action, Facts
from fairlead.workflows.tracing.looking import Aim
from fairlead.workflows.tracing.matching import Path, atom_of, atoms, holds, shown_path
from fairlead.workflows.tracing.opposed import allowed_words, opposed, oppositions, parted
from fairlead.workflows.tracing.replaying import Passed, Rerun
from fairlead.workflows.tracing.searching import Search
from fairlead.workflows.tracing.suspects import PROVEN, Cause, Link, Suspect
from fairlead.workflows.walk import StepFailed, StepResult

_FORM: Final = ("no_json",)
_CAUSES: Final[dict[str, Cause]] = {"over_budget": "budget", "not_approved": "person", "unanswered": "person"}
_ALTERNATIVES: Final = 5
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "number": (int, float), "integer": (int, float), "string": (str,), "array": (list,), "object": (Mapping,),
}  # fmt: skip


class Attribution(Struct, frozen=True, kw_only=True):
    """`surfaced` is where it was noticed, and `others` what else came into question, the likeliest first."""

    root: Suspect
    surfaced: str
    message: str
    others: tuple[Suspect, ...] = ()

    @property
    def proven(self) -> bool:
        return self.root.weight >= PROVEN


def attributed(run: Rerun, facts: Facts) -> Attribution | None:
    """The root of a run's failure; None where it did not fail. Where nothing speaks for any cause, the root is where
    the value in question came from, with a weight below `PROVEN`."""
    failure = run.failure
    if run.end != "failed" or failure is None:
        return None
    flow = Dataflow(run)
    passed = _failed_step(run, failure)
    if passed is None:
        root = Suspect(cause="input", weight=0.6, step="", place=failure.at, why=failure.message, input="input")
        return Attribution(root=root, surfaced=failure.at, message=failure.message)
    search = _Failure(flow, facts, passed, failure).suspects()
    found = ranked(search)
    return Attribution(
        root=found[0], surfaced=passed.at.text, message=failure.message, others=tuple(found[1 : _ALTERNATIVES + 1])
    )


def _failed_step(run: Rerun, failure: StepFailed) -> Passed | None:
    """The innermost step that failed."""
    failed = [each for each in run.steps.values() if each.failed is failure]
    return max(failed, key=lambda each: len(each.at.path), default=None)


def ranked(found: Sequence[Suspect]) -> list[Suspect]:
    """The likeliest first, each cause at a place once; of equals what lies furthest back: it came first."""
    once: dict[tuple[str, str, str], Suspect] = {}
    for each in sorted(found, key=lambda each: (-each.weight, -len(each.chain))):
        once.setdefault((each.cause, each.place, each.input), each)
    return list(once.values())


class _Failure:
    """One failure, by its kind."""

    def __init__(self, flow: Dataflow, facts: Facts, passed: Passed, failure: StepFailed) -> None:
        self._flow = flow
        self._facts = facts
        self._passed = passed
        self._failure = failure
        effects = flow.effects(passed)
        self._last = effects[-1] if effects else None
        self._effects = effects

    def suspects(self) -> list[Suspect]:
        kind = self._failure.kind
        if kind == "check":
            found = self._of_check()
        elif kind == "refused":
            found = self._of_refusal()
        elif kind in ("unavailable", "timeout", "busy"):
            found = self._of_failing()
        else:
            found = self._of_error()
        return found or [self._here("definition", 0.3, self._failure.message)]

    # ---- checks --------------------------------------------------------------------------------------------------

    def _of_check(self) -> list[Suspect]:
        result = self._failure.result
        if self._failure.code in _FORM or result is None:
            return [self._here("model_error", 0.95, self._failure.message)]
        aims, misshapen = list(self._questioned(result)), self._misshapen(result)
        broken = self._broken(result)
        against = oppositions(self._flow, self._passed, broken, _seen(result))
        search = Search(self._flow, self._facts, against, allowed_words(broken)).from_(aims)
        found = opposed(parted(search.found, {each.spot.place for each in aims}), search.judged, against)
        if wrong_kind := self._wrong_kind(result):
            own = self._passed.at.text
            found = [each for each in found if each.step != own or each.cause != "hallucinated_value"]
            misshapen = misshapen or wrong_kind
        if misshapen:
            found.append(self._here("model_error" if self._asks else "bad_tool_result", 0.88, misshapen))
        return found

    def _questioned(self, result: StepResult) -> Iterator[Aim]:
        """The values that the check has found wanting."""
        compiled = self._passed.compiled
        for form in (compiled.gives, compiled.checks):
            path = None if form is None else form.wrong_at(result.value)
            if path is not None:
                yield from self._at(("value", *path), at_path(result.value, path) if path else None, plainly=True)
                return
        for that in self._broken(result):
            yield from self._aims(self._flow.taken(self._passed, [that], _seen(result)), plainly=True)
        if compiled.grounded is not None and self._failure.message.endswith("borne out by its sources"):
            sources = compiled.grounded.text(self._passed.scope.given)
            for path, atom in atoms(result.value):
                if holds(sources, atom) is None:
                    yield self._aim(("value", *path), atom, plainly=True)

    def _broken(self, result: StepResult) -> list[Expression]:
        """The rules that do not hold."""
        given = {**self._passed.scope.given, **_seen(result)}
        return [that for that, _ in self._passed.compiled.rules if not _holds(that, given)]

    def _misshapen(self, result: StepResult) -> str:
        """What a reply lacks of its form, as far as no value of it is at fault."""
        for form in (self._passed.compiled.gives, self._passed.compiled.checks):
            if form is None:
                continue
            wrong, path = form.taken(result.value)[1], form.wrong_at(result.value)
            if wrong and (not path or atom_of(at_path(result.value, path)) is None):
                return wrong
        return ""

    def _wrong_kind(self, result: StepResult) -> str:
        """What is wrong with a reply that has a value of another type than the form asks for: no value at all."""
        form = self._passed.compiled.gives if self._asks else None
        path = None if form is None else form.wrong_at(result.value)
        if form is None or not path:
            return ""
        schema: Any = form.schema
        for key in path:
            schema = (schema.get("items") if isinstance(key, int) else schema.get("properties", {}).get(key)) or {}
        wanted = _TYPES.get(str(schema.get("type")))
        return form.taken(result.value)[1] if wanted and not isinstance(at_path(result.value, path), wanted) else ""

    # ---- refusals, failures, errors ------------------------------------------------------------------------------

    def _of_refusal(self) -> list[Suspect]:
        failure = self._failure
        change = self._facts.changed(failure.run) if failure.run else None
        if change is not None:
            return [self._here("policy_change", 1.0, change.said, input=change.rule)]
        cause = _CAUSES.get(failure.code, "policy")
        found = self._searched(self._arguments()) if cause == "policy" else []
        return [*found, self._here(cause, 0.55, ": ".join(filter(None, (failure.message, failure.why))))]

    def _of_failing(self) -> list[Suspect]:
        if self._asks or (self._last is not None and self._last.kind == "turn"):
            return [self._here("model_error", 1.0, self._tried_said())]
        cause: Cause = "tool_error" if self._last is not None and self._last.kind in ("tool", "python") else "time"
        cause = "person" if self._failure.code == "unanswered" else cause
        return [self._here(cause, 0.9, self._failure.message)]

    def _tried_said(self) -> str:
        action = self._action()
        tries = [f"{each.model}: {each.error}" for each in action.attempts if each.error] if action is not None else []
        return "; ".join(tries) or self._failure.message

    def _of_error(self) -> list[Suspect]:
        """Of tools, functions, expressions, and of agents whose turns are over."""
        if self._last is not None and self._last.kind == "agent":
            calls = [each for each in self._effects if each.kind == "tool" and each.failed is not None]
            aim = Aim(Spot(self._passed.at.text, ("value",)), None, plainly=False, chain=())
            found = self._searched([aim]) if calls else []
            return [*found, self._here("model_error", 0.6, self._failure.message)]
        if self._last is None or self._last.kind not in ("tool", "python"):
            return self._searched(list(self._expressed()))
        return [*self._searched(self._arguments()), self._here("tool_error", 0.55, self._failure.message)]

    def _arguments(self) -> list[Aim]:
        """The values that a call was given."""
        call = self._last
        if call is None or call.kind not in ("tool", "python"):
            return []
        return list(self._aims(self._flow.given(self._passed), plainly=True))

    def _expressed(self) -> Iterator[Aim]:
        """What the expressions of the step itself took in."""
        compiled = self._passed.compiled
        expressions = [each for one in compiled.filled.values() for each in one.expressions]
        every = [*expressions, *compiled.asked.values(), *compiled.cases, *filter(None, (compiled.when,))]
        wrong = [each for each in every if not _evaluates(each, self._passed.scope.given)]
        takens = self._flow.taken(self._passed, wrong or every)
        nothing = [each for each in takens if _has_nothing(each.value)]
        yield from (Aim(each.spot, None, True, self._link(each.spot), empty=True) for each in nothing)
        yield from self._aims(takens, plainly=True)

    # ---- what all need -------------------------------------------------------------------------------------------

    @property
    def _asks(self) -> bool:
        return self._passed.compiled.step.kind in ("model", "agent")

    def _searched(self, aims: Sequence[Aim]) -> list[Suspect]:
        return Search(self._flow, self._facts).from_(aims).found

    def _aims(self, takens: Sequence[Taken], *, plainly: bool) -> Iterator[Aim]:
        own = self._passed.at.text
        for each in sorted(takens, key=lambda one: one.spot.place != own):
            leaves = list(atoms(each.value))
            for path, atom in leaves:
                yield Aim(Spot(each.spot.place, (*each.spot.path, *path)), atom, plainly, self._link(each.spot))
            if not leaves:
                yield Aim(each.spot, None, plainly, self._link(each.spot), empty=each.value in (None, "", []))

    def _at(self, path: Path, value: Any, *, plainly: bool) -> Iterator[Aim]:
        for below, atom in atoms(value):
            yield self._aim((*path, *below), atom, plainly=plainly)

    def _aim(self, path: Path, atom: Any, *, plainly: bool) -> Aim:
        return Aim(Spot(self._passed.at.text, path), atom, plainly, ())

    def _link(self, spot: Spot) -> tuple[Link, ...]:
        """Where it was noticed, if that is another step than the one whose value it is."""
        step = self._passed
        if spot.place == step.at.text:
            return ()
        return (Link(step.compiled.step.id, step.at.text, step.compiled.step.kind, shown_path(spot.path)),)

    def _action(self) -> Action | None:
        turns = [each.action for each in self._effects if each.kind == "turn" and each.action]
        run = self._failure.run or (self._last.action if self._last is not None else "") or (turns or [""])[-1]
        return self._facts.action(run) if run else None

    def _here(self, cause: Cause, weight: float, why: str, **more: Any) -> Suspect:
        """The step that failed, itself."""
        action, step = self._action(), self._passed
        said = self._failure.message
        mine = [each for each in self._effects if each.failed is not None and each.kind != "agent"]
        last = next((each for each in reversed(mine) if each.failed is not None and each.failed.message == said), None)
        place = (last or self._last or step).at.text
        own = Suspect(
            cause=cause, weight=weight, step=step.at.text, place=place, why=why, model=action.model if action else "",
            input="prompt" if cause == "model_error" else "",
            chain=(Link(step.compiled.step.id, step.at.text, step.compiled.step.kind),),
        )  # fmt: skip
        call = last or self._last
        if call is not None and call.kind == "tool":
            own = replace(own, tool=call.name, model="")
        return replace(own, **more) if more else own


def _has_nothing(value: Any) -> bool:
    """Whether some data has a null somewhere."""
    if isinstance(value, Mapping):
        return any(_has_nothing(each) for each in value.values())
    return value is None or (isinstance(value, list | tuple) and any(map(_has_nothing, value)))


def _seen(result: StepResult) -> dict[str, Any]:
    """What rules see of a result."""
    return {"value": result.value, "text": result.text}


def _holds(that: Expression, given: dict[str, Any]) -> bool:
    try:
        return that.holds(given)
    except BadExpression:
        return False


def _evaluates(expression: Expression, given: dict[str, Any]) -> bool:
    try:
        expression.value(given)
    except BadExpression:
        return False
    return True
