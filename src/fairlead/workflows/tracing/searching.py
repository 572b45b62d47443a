"""Going back from where something was noticed to where it came from: value by value, step by step.

A value is looked for in what its step was given. Where it stands there, the search goes on with the step before; where
nothing bears it out, it first appeared here. Everything that is come to is a suspect, with what speaks for it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from fairlead.workflows.tracing.dataflow import Dataflow, Spot, Taken, at_path
from fairlead.workflows.tracing.facts import Facts
from fairlead.workflows.tracing.following import Following
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.looking import Aim
from fairlead.workflows.tracing.matching import (
    Atom,
    atoms,
    shown_atom,
    shown_path,
)
from fairlead.workflows.tracing.opposed import Opposition
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.replies import last_turn, replied
from fairlead.workflows.tracing.suspects import Link
from fairlead.workflows.tracing.telling import is_choice, is_own_word, is_telling, is_worded, says_itself

_OF_LIST: Final = 2  # how deep below a step the steps of its lists are: `each[1].look`, `both.left.look`
_UNANSWERED: Final = 0.6  # of what a model said beside what was noticed, or that was itself given no answer
_OWN_WORD: Final = 0.55  # of a word that may be the model's own for something that it was given
_BY_CONDITION: Final = 0.9  # how much it counts that a value was chosen by something


class Search(Following):
    """Of one run, from the aims that it is given. `found` are the suspects."""

    def __init__(
        self,
        flow: Dataflow,
        facts: Facts,
        against: Sequence[Opposition] = (),
        words: Sequence[frozenset[str]] = (),
    ) -> None:
        super().__init__(flow, facts, against, words)
        self._seen: set[tuple[Spot, Atom | None]] = set()

    def from_(self, aims: Iterable[Aim]) -> "Search":
        """Go back from these, and from what each rests on, up to a bound of places."""
        left = list(aims)
        while left and len(self._seen) < self._places:
            aim = left.pop(0)
            key = (aim.spot, aim.atom)
            if key not in self._seen:
                self._seen.add(key)
                left += self._looked_at(aim)
        return self

    # ---- one place -----------------------------------------------------------------------------------------------

    def _looked_at(self, aim: Aim) -> list[Aim]:
        passed = self._flow.run.steps.get(aim.spot.place)
        if passed is None:
            if not aim.spot.place:
                name = shown_path(aim.spot.path)
                weight, why = (0.3, "it was looked up by that") if aim.looked_up else (0.45, "the run was given it")
                self.suspect("input", weight, aim, why, input=name)
            return []
        aim = replace(aim, chain=(*aim.chain, self._link(passed, aim)))
        by = replace(aim, empty=False, part=aim.part * _BY_CONDITION)
        if passed.caught is not None:
            self._took_over(passed, aim)
            return [*self._made(passed, aim), *self._all(self._flow.decided(passed), by)]
        return [*self._from(passed, aim), *self._all(self._flow.decided(passed), by)]

    def _from(self, passed: Passed, aim: Aim) -> list[Aim]:
        """What a value of a step came from, by the kind of the step."""
        kind = passed.compiled.step.kind
        if kind in ("model", "agent"):
            return self._reply(passed, aim)
        if kind == "tool":
            last, path = self._flow.effects(passed), aim.spot.path[1:]
            if last:
                self._nothing(last[-1], aim, path)
            return self._result(last[-1], aim, path, self._flow.given(passed)) if last else []
        if kind in ("approval", "wait"):
            self.suspect("person", 0.42, aim, "people said so", passed, input=shown_path(aim.spot.path))
            return []
        return self._code(passed, aim) if kind == "python" else self._made(passed, aim)

    def _link(self, passed: Passed, aim: Aim) -> Link:
        took = shown_path(aim.spot.path)
        kind = passed.compiled.step.kind
        return Link(passed.compiled.step.id, passed.at.text, kind, took, shown_atom(aim.atom))

    def _made(self, passed: Passed, aim: Aim) -> list[Aim]:
        """Of steps that make data of data, or hold other steps."""
        kind, path = passed.compiled.step.kind, aim.spot.path[1:]
        if kind == "transform":
            takens = self._flow.given(passed, "transform", path)
        else:
            takens = (
                self._inside(passed, ends=aim.atom is None)
                + self._flow.given(passed, "gives", path)
                + self._flow.given(passed, "input")
            )
        made = passed.result or (passed.failed.result if passed.failed is not None else None)
        text = None if made is None else at_path(made.value, path)
        if isinstance(text, bool) and (same := self._flags(takens, aim, text)):
            return same
        found = self._matched(takens, aim) or self._word_for_word(takens, aim, text) or self._all(takens, aim)
        guessed = [each for each in takens if self._is_guess(each)]
        return [*found, *self._all(guessed, aim), *self._all(self._how_many(passed, aim), aim)]

    def _is_guess(self, taken: Taken) -> bool:
        """Whether what was taken is what took a failed step's place."""
        step = self._flow.run.steps.get(taken.spot.place)
        return step is not None and step.caught is not None

    def _how_many(self, passed: Passed, aim: Aim) -> list[Taken]:
        """The list that a map went over, where all that it gave is in question."""
        over = passed.compiled.asked.get("over") if aim.atom is None else None
        return self._flow.taken(passed, [over]) if over is not None else []

    def _inside(self, passed: Passed, *, ends: bool) -> list[Taken]:
        """What the steps within one gave, the last first; `ends`: those alone whose value is that of their list."""
        below = (f"{passed.at.text}.", f"{passed.at.text}[")
        inside = [
            (each, Taken(each.at.text, seen.value, Spot(each.at.text, ("value",))))
            for each in reversed(self._flow.run.steps.values())
            if each.at.text.startswith(below) and (seen := each.result) is not None
        ]
        last = {each.last for each in passed.compiled.blocks.values()} if ends else set()
        depth = len(passed.at.path) + _OF_LIST
        given = [taken for each, taken in inside if each.at.path[-1] in last and len(each.at.path) <= depth]
        return given or [taken for _, taken in inside]

    def _code(self, passed: Passed, aim: Aim) -> list[Aim]:
        takens = self._flow.given(passed)
        found = self._matched(takens, aim)
        if not found:
            self.suspect("data", 0.35, aim, "a function of the workspace gave it", passed, tool=self._tool(passed))
        return found or self._all(takens, aim)

    def _tool(self, passed: Passed) -> str:
        node = getattr(passed.compiled.step, passed.compiled.step.kind)
        return str(getattr(node, "call", "") or getattr(node, "function", ""))

    # ---- replies -------------------------------------------------------------------------------------------------

    def _reply(self, passed: Passed, aim: Aim) -> list[Aim]:
        """A value of a model's reply: what it was given that says so, or that nothing does."""
        effects = self._flow.effects(passed)
        if not effects:
            return []
        said = effects[-1] if passed.compiled.step.kind == "model" else last_turn(effects)
        self._judged(passed, said, aim)
        atom, takens = aim.atom, self._flow.asked(passed)
        self._gave_nothing(passed, said, self._told(effects, takens), aim)
        self._chose_another(passed, said, aim)
        if (quoted := self._quoted(passed, said, effects, takens, aim)) is not None:
            return quoted
        if (copied := self._copied(passed, said, effects, takens, aim)) is not None:
            return copied
        if atom is None or is_choice(passed, aim.spot.path) or is_worded(passed, aim.spot.path, atom):
            if not self._gainsaid(passed, said, effects, takens, aim):
                self._judged_here(passed, said, effects, takens, aim)
            return [*self._beside(passed, said, aim), *self._judgement(passed, effects, takens, aim)]
        self._gave_way(passed, said, effects, takens, aim)
        borne = self._borne_out(passed, effects, takens, aim)
        return self._first_here(passed, said, effects, takens, aim) if borne is None else borne

    def _beside(self, passed: Passed, said: Met, aim: Aim) -> list[Aim]:
        """What stands in the same reply as a judgement: that may be what was judged."""
        return [
            replace(aim, spot=Spot(passed.at.text, ("value", *path)), atom=atom, plainly=False, chain=aim.chain[:-1])
            for path, atom in atoms(replied(passed, said))
            if not is_choice(passed, ("value", *path)) and is_telling(atom, path, plainly=True)
        ]

    def _judgement(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """What was decided by all that a model was given: each of it may be at fault."""
        calls = [each for each in effects if each.kind == "tool"]
        for call in calls:
            if call.failed is not None:
                self._failed_call(call, aim)
            elif call.result is not None:
                self._nothing(call, aim)
                inner = replace(aim, plainly=False)
                for path, atom in atoms(call.result.value):
                    self._result(call, replace(inner, atom=atom), path, ())
                self._argued(passed, call, effects, takens, inner)
        for page in [each for one in effects for each in self._read(one)]:
            self._page_changed(page, passed, aim, self._model(effects[-1]))
        return self._all(takens, aim)

    def _first_here(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim]:
        """A value that stands in nothing that its step was given."""
        atom, model = aim.atom, self._model(said)
        assert atom is not None
        if says_itself(passed, atom):
            self.suspect("definition", 0.3, aim, "the workflow's own text says so", passed, model=model)
            return []
        if (before := self._follows(passed, said, effects, takens, aim)) is not None:
            return before
        self._missed(passed, effects, takens, aim)
        change = self._facts.changed(said.action) if said.action else None
        if change is not None:
            self.suspect("policy_change", 0.92, aim, change.said, said, model=model, input=change.rule)
        elif self._gainsaid(passed, said, effects, takens, aim) or self._not_read(passed, said, aim):
            return []
        elif (unanswered := self._unanswered(takens, aim)) or is_telling(atom, aim.spot.path, plainly=aim.plainly):
            weight = 0.9 if aim.plainly and not unanswered else _UNANSWERED
            why = "nothing that the model was given says it"
            if len(self._tried(said)) > 1:
                why += f"; {model} answered after another had failed"
            name = shown_path(aim.spot.path)
            text = at_path(replied(passed, said), aim.spot.path[1:])
            own = isinstance(text, str) and is_own_word(text)
            weight = min(weight, _OWN_WORD) if own else weight
            self.suspect("hallucinated_value", weight, aim, why, said, model=model, input=name)
            return self._judgement(passed, effects, takens, aim) if own else []
        return []
