"""Going back from where something was noticed to where it came from: value by value, step by step.

A value is looked for in what its step was given. Where it stands there, the search goes on with the step before; where
nothing bears it out, it first appeared here. Everything that is come to is a suspect, with what speaks for it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from fairlead.workflows.tracing.copying import is_chosen
from fairlead.workflows.tracing.dataflow import Dataflow, Spot, Taken, at_path
from fairlead.workflows.tracing.evidence import against_page, against_sibling, nearest_pages
from fairlead.workflows.tracing.facts import Facts
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.looking import Aim, paths_of
from fairlead.workflows.tracing.matching import (
    Atom,
    atoms,
    counted,
    numbers_in,
    reckoned,
    reckoned_day,
    shown_atom,
    shown_path,
)
from fairlead.workflows.tracing.opposed import Opposition
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.replies import Replies, last_turn, replied, words_of
from fairlead.workflows.tracing.suspects import Link
from fairlead.workflows.tracing.telling import is_choice, is_telling, own_numbers, says_itself
from fairlead.workflows.tracing.units import converted
from fairlead.workflows.tracing.writings import is_day

_MOST: Final = 2000  # places that one search looks at
_BY_CHOICE: Final = 0.95  # and that a model may have chosen it among several
_BY_CONDITION: Final = 0.9  # how much it counts that a value was chosen by something


class Search(Replies):
    """Of one run, from the aims that it is given. `found` are the suspects."""

    def __init__(self, flow: Dataflow, facts: Facts, against: Sequence[Opposition] = ()) -> None:
        super().__init__(flow, facts, against)
        self._seen: set[tuple[Spot, Atom | None]] = set()

    def from_(self, aims: Iterable[Aim]) -> "Search":
        """Go back from these, and from what each rests on, up to a bound of places."""
        left = list(aims)
        while left and len(self._seen) < _MOST:
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
            takens = self._inside(passed) + self._flow.given(passed, "gives", path) + self._flow.given(passed, "input")
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

    def _inside(self, passed: Passed) -> list[Taken]:
        """What the steps within one gave, the last first."""
        below = (f"{passed.at.text}.", f"{passed.at.text}[")
        return [
            Taken(each.at.text, seen.value, Spot(each.at.text, ("value",)))
            for each in reversed(self._flow.run.steps.values())
            if each.at.text.startswith(below) and (seen := each.result) is not None
        ]

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
        if (quoted := self._quoted(passed, said, effects, takens, aim)) is not None:
            return quoted
        if (copied := self._copied(passed, said, effects, takens, aim)) is not None:
            return copied
        if atom is None or is_choice(passed, aim.spot.path):
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
            if not is_choice(passed, ("value", *path))
        ]

    def _judgement(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """What was decided by all that a model was given: each of it may be at fault."""
        calls = [each for each in effects if each.kind == "tool"]
        for call in calls:
            if call.failed is not None:
                self._failed_call(call, aim)
            elif call.result is not None:
                self._nothing(call, aim)
                for path, atom in atoms(call.result.value):
                    inner = replace(aim, atom=atom, plainly=False)
                    self._result(call, inner, path, ())
                    self._argued(passed, call, effects, takens, inner)
        for page in [each for one in effects for each in self._read(one)]:
            self._page_changed(page, passed, aim, self._model(effects[-1]))
        return self._all(takens, aim)

    def _borne_out(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> list[Aim] | None:
        """Where a value stands in what its step was given: None where nowhere. Pages and calls are looked at here."""
        atom = aim.atom
        assert atom is not None
        found, before = self._matched(takens, aim), len(self.found)
        if any(is_chosen(atom, str(aim.spot.path[-1]), each.spot.path, self._told((), takens)) for each in found):
            found = [replace(each, part=each.part * _BY_CHOICE) for each in found]
        for call in effects:
            if call.kind == "tool" and call.result is not None:
                value = call.result.value
                for path in paths_of(value, atom, aim.spot.path):
                    chosen = is_chosen(atom, str(aim.spot.path[-1]), path, value)
                    self._result(call, replace(aim, part=aim.part * _BY_CHOICE) if chosen else aim, path, ())
                    found += self._argued(passed, call, effects, takens, aim)
        if not any(each.spot.path[-1:] == aim.spot.path[-1:] for each in found):
            self._lost(effects, aim)
        read = [page for one in effects for page in self._read(one)]
        pages = nearest_pages(read, atom, words_of(effects))
        fit = all(against_page(each, atom) or against_sibling(each, atom, read) for each in pages)
        alone = not found and len(self.found) == before and fit
        for page in pages:
            self._page(page, passed, aim, self._model(effects[-1]), alone=alone, beside=read)
        return found if found or len(self.found) > before else None

    def _first_here(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim]:
        """A value that stands in nothing that its step was given."""
        atom, model = aim.atom, self._model(said)
        assert atom is not None
        if says_itself(passed, atom):
            self.suspect("definition", 0.3, aim, "the workflow's own text says so", passed, model=model)
            return []
        values = self._values(passed, effects, takens)
        parts = reckoned(atom, values) or self._reckoned_day(passed, atom, effects, takens)
        if parts is None and isinstance(atom, Decimal):
            parts = converted(atom, str(aim.spot.path[-1]), values)
        if parts is not None:
            aims = [replace(aim, atom=part) for part in parts]
            return [each for one in aims for each in self._borne_out(passed, effects, takens, one) or ()]
        if beside := self._from_beside(passed, said, effects, takens, aim):
            return beside
        if (listed := self._counted(effects, takens, aim)) is not None:
            return listed
        self._missed(passed, effects, takens, aim)
        change = self._facts.changed(said.action) if said.action else None
        if change is not None:
            self.suspect("policy_change", 0.92, aim, change.said, said, model=model, input=change.rule)
        elif self._gainsaid(passed, said, effects, takens, aim):
            return []
        elif is_telling(atom, aim.spot.path, plainly=aim.plainly):
            weight, why = (0.9 if aim.plainly else 0.6), "nothing that the model was given says it"
            if len(self._tried(said)) > 1:
                why += f"; {model} answered after another had failed"
            name = shown_path(aim.spot.path)
            self.suspect("hallucinated_value", weight, aim, why, said, model=model, input=name)
        return []

    def _missed(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> None:
        """What may be behind a value that nothing says: a call that did not succeed, a page that says otherwise by now
        and had figures from which it follows."""
        atom, values = aim.atom, self._values(passed, effects, takens)
        for call in effects:
            if call.kind == "tool" and call.failed is not None:
                self._failed_call(call, aim)
        for page in dict.fromkeys(page for one in effects for page in self._read(one)):
            old = [each for each in numbers_in(page.text) if against_page(page, each) is not None]
            parts = reckoned(atom, [*values, *map(shown_atom, old)]) if atom is not None and old else None
            if parts is not None and (used := next((each for each in parts if each in old), None)) is not None:
                self._page(page, passed, replace(aim, atom=used), self._model(effects[-1]), alone=True)

    def _counted(self, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> list[Aim] | None:
        """The list of which a value is the number of items; None where there is none."""
        found: list[Aim] = []
        before = len(self.found)
        for call in effects:
            if call.kind == "tool" and call.result is not None:
                for path in counted(aim.atom, aim.spot.path, call.result.value):
                    self._result(call, aim, path, ())
        for each in takens:
            for path in counted(aim.atom, aim.spot.path, each.value):
                found.append(replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)), atom=None))
        return found if found or len(self.found) > before else None

    def _reckoned_day(
        self, passed: Passed, atom: Atom, effects: Sequence[Met], takens: Sequence[Taken]
    ) -> tuple[Atom, ...] | None:
        """The day, and the number of days, weeks or months after or before it, that a date follows from."""
        if not isinstance(atom, str) or not is_day(atom):
            return None
        return reckoned_day(
            atom, self._values(passed, effects, takens), [page.text for one in effects for page in self._read(one)]
        )

    def _from_beside(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim]:
        """What stands in the same reply, where the value follows from that and from what was given: that came first."""
        assert aim.atom is not None
        siblings = {atom: path for path, atom in atoms(replied(passed, said)) if ("value", *path) != aim.spot.path}
        parts = reckoned(aim.atom, [*self._values(passed, effects, takens), *map(shown_atom, siblings)]) or ()
        return [
            replace(aim, spot=Spot(passed.at.text, ("value", *siblings[part])), atom=part, chain=aim.chain[:-1])
            for part in parts
            if part in siblings and part != aim.atom
        ]

    def _values(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken]) -> list[Any]:
        """What a model was given as data, and the figures of the workflow's own text. With figures of pages nothing is
        reckoned: there are too many."""
        return [*self._told(effects, takens), *map(shown_atom, own_numbers(passed))]
