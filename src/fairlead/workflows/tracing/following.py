"""What bears out a value that a model gave: where it stands in what its step was given, or else what it follows from: a
sum of numbers, the number of a list's items, what stands beside it, or nothing where there was nothing.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from fairlead.workflows.tracing.copying import is_chosen
from fairlead.workflows.tracing.dataflow import Spot, Taken, at_path
from fairlead.workflows.tracing.evidence import against_page, against_sibling, nearest_pages
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.leaves import empties, paths_of
from fairlead.workflows.tracing.looking import Aim
from fairlead.workflows.tracing.matching import (
    Atom,
    Path,
    atoms,
    counted,
    numbers_in,
    reckoned,
    reckoned_day,
    shown_atom,
    shown_path,
)
from fairlead.workflows.tracing.opposed import Opposition
from fairlead.workflows.tracing.reckoning import Worked, worked_out
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.replies import Replies, last_turn, much_of, replied, words_of
from fairlead.workflows.tracing.slips import meant_for
from fairlead.workflows.tracing.suspects import Link
from fairlead.workflows.tracing.telling import asks_for_less, is_nothing, own_numbers, own_words
from fairlead.workflows.tracing.units import converted
from fairlead.workflows.tracing.writings import is_day

_BY_CHOICE: Final = 0.95  # how much it counts where a model may have chosen a value among several
_LEAST: Final = 20  # a number below may follow from others by chance


class Following(Replies):
    """The part of a search that looks at what a value follows from."""

    def _follows(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim] | None:
        """Where what a value follows from comes from; None where it follows from nothing that its step was given."""
        found = self._worked_out(passed, effects, takens, aim)
        if found is not None:
            self._reckoned_wrongly(said, found.parts, aim)
            aims = [replace(aim, atom=part, converted=found.converted) for part in found.parts]
            return [each for one in aims for each in self._borne_out(passed, effects, takens, one) or ()]
        if beside := self._from_beside(passed, said, effects, takens, aim):
            return beside
        if longer := self._shortened(passed, takens, aim):
            return longer
        nothing = self._of_nothing(effects, takens, aim)
        return self._counted(effects, takens, aim) if nothing is None else nothing

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

    def _worked_out(self, passed: Passed, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> Worked | None:
        """What a value was reckoned from."""
        atom, values = aim.atom, self._values(passed, effects, takens)
        assert atom is not None
        parts = reckoned(atom, values) or self._reckoned_day(passed, atom, effects, takens)
        if parts is not None or not isinstance(atom, Decimal):
            return Worked(parts) if parts is not None else None
        key = str(aim.spot.path[-1])
        if (other := converted(atom, key, values)) is not None:
            return Worked(other, converted=True)
        return worked_out(atom, key, own_words(passed), values)

    def _reckoned_wrongly(self, said: Met, parts: Sequence[Atom], aim: Aim) -> None:
        """A number that was reckoned from others from which what a check wants follows too, by another sum."""
        atom = aim.atom
        for each in self.against:
            meant = _meant(atom, each) if isinstance(atom, Decimal) else []
            other = next(
                (one for one in meant if reckoned(one, [shown_atom(part) for part in parts]) is not None), None
            )
            if other is not None:
                why = f"{shown_atom(other)} follows from the same by another sum; {each.said}"
                name, model = shown_path(aim.spot.path), self._model(said)
                self.suspect("model_error", 0.7, aim, why, said, model=model, input=name)

    def _shortened(self, passed: Passed, takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """The texts of which a model made one shorter that was asked to."""
        if not isinstance(aim.atom, str) or not asks_for_less(passed):
            return []
        return [
            replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)), atom=atom)
            for each in takens
            for path, atom in atoms(each.value)
            if isinstance(atom, str) and much_of(aim.atom, atom)
        ]

    def _of_nothing(self, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> list[Aim] | None:
        """Where there was nothing, or no sound result, of which a model made a nought or a word for it; None where
        there was not."""
        if not is_nothing(aim.atom):
            return None
        before, none = len(self.found), replace(aim, atom=None, plainly=False, empty=True)
        found = [
            replace(none, spot=Spot(each.spot.place, (*each.spot.path, *path)))
            for each in takens
            for path in _hollows(each.value)
        ]
        steps = [self._flow.run.steps.get(each.spot.place) for each in takens]
        asked = [self._flow.effects(each)[-1:] for each in steps if each and each.compiled.step.kind == "tool"]
        for call in [*effects, *(each for one in asked for each in one)]:
            if call.kind == "tool" and call.result is not None:
                for path in _hollows(call.result.value) if call in effects else ():
                    self._nothing(call, none, path)
                if (wrong := self._against(call, ())) is not None and wrong.whole:
                    self._result(call, aim, (), ())
        return found if found or len(self.found) > before else None

    def _unanswered(self, takens: Sequence[Taken], aim: Aim) -> bool:
        """Whether what a model was given is no answer: the model before refused, gave nothing, or was cut off."""
        before = len(self.found)
        for each in takens:
            step = self._flow.run.steps.get(each.spot.place)
            effects = self._flow.effects(step) if step and step.compiled.step.kind in ("model", "agent") else []
            if step is not None and effects:
                said = effects[-1] if step.compiled.step.kind == "model" else last_turn(effects)
                link = Link(step.compiled.step.id, step.at.text, step.compiled.step.kind, shown_path(each.spot.path))
                self._judged(step, said, replace(aim, spot=each.spot, chain=(*aim.chain, link)))
        return len(self.found) > before

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


def _hollows(value: Any) -> list[Path]:
    """Where there is a list or a record with nothing in it. Of a null, a model ought to have said that it is one."""
    return [path for path in empties(value) if at_path(value, path) not in (None, "")]


def _meant(atom: Decimal, wanted: Opposition) -> list[Decimal]:
    """What a number would have to be for a check to hold, as far as it is none that is met with by chance."""
    seen = next(iter(wanted.values), None) if len(wanted.values) == 1 else None
    if not isinstance(wanted.wanted, Decimal) or not isinstance(seen, Decimal):
        return []
    found = [wanted.wanted] if atom == seen else list(meant_for(atom, seen, wanted.wanted))
    return [each for each in found if abs(each) >= _LEAST and each != atom]
