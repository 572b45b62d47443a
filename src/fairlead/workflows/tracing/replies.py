"""What models said: what speaks against a reply by itself, and against a value of one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fairlead.models.words import stems
from fairlead.workflows.tracing.calls import Calls
from fairlead.workflows.tracing.copying import added, column, gave_way, made_here, other_row, reordered
from fairlead.workflows.tracing.dataflow import Taken, at_path, under
from fairlead.workflows.tracing.evidence import against_reply
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.leaves import empties, flags, texts_of
from fairlead.workflows.tracing.looking import ABOUT, Aim
from fairlead.workflows.tracing.matching import atom_of, atoms, holds, is_prose, shown_atom, shown_path
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.telling import asks_for_less, own_words, translates

_QUOTES: Final = frozenset("quote quotation citation excerpt passage verbatim zitat".split())  # noqa: SIM905
"""Keys of what is said to stand somewhere word by word."""
_WORD: Final = re.compile(r"\w+")


class Replies(Calls):
    """The part of a search that looks at replies."""

    def _judged_here(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> None:
        """A judgement of a model: no suspect as long as something else is. What is merely handed on is none."""
        value, sources = at_path(replied(passed, said), aim.spot.path[1:]), self._told(effects, takens)
        made = list(made_here(value, sources, aim.spot.path))
        if not made and value is not None:
            return
        path, before = made[0] if made else aim.spot.path, len(self.found)
        name, model, listed = shown_path(path), self._model(said), at_path(replied(passed, said), path[1:])
        if isinstance(listed, list) and (new := added(listed, sources)) is not None:
            why = f"nothing that the model was given says {new!r}, and all else of the list stands there"
            self.suspect("hallucinated_value", 0.55, aim, why, said, model=model, input=name, value=new)
            return
        self.suspect("model_error", 0.3, aim, "it was judged here", said, model=model, input=name)
        self.judged += self.found[before:]
        del self.found[before:]

    def _told(self, effects: Sequence[Met], takens: Sequence[Taken]) -> list[Any]:
        """What a model was given as data: by its step, and by the tools that it called."""
        called = [each.result.value for each in effects if each.kind == "tool" and each.result is not None]
        return [*(each.value for each in takens), *called]

    def _gave_way(self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> None:
        """A value that a check wants to be another, which the model was given too."""
        atom, key, sources = aim.atom, aim.spot.path[-1], self._told(effects, takens)
        if atom is None or isinstance(key, int):
            self._put_in_order(passed, said, sources, aim)
            return
        both = {one for path, one in atoms(replied(passed, said)) if column(path) == column(aim.spot.path[1:])}
        for each in self.against:
            chosen = each.wanted not in both  # what hands on both has chosen neither
            row = chosen and atom in each.values and other_row(atom, key, sources, each.wanted)
            other = each.wanted if row else gave_way(atom, key, sources, each.values, each.wanted)
            if other is not None:
                name, why = shown_path(aim.spot.path), f"it was given {shown_atom(other)} as well; {each.said}"
                weight = 0.8 if row else 0.6
                self.suspect("model_error", weight, aim, why, said, model=self._model(said), input=name)

    def _put_in_order(self, passed: Passed, said: Met, sources: Sequence[Any], aim: Aim) -> None:
        """An item of a list that has what was given in another order, so that it stands where it does by the model."""
        path = aim.spot.path[:-1]
        listed = at_path(replied(passed, said), path[1:])
        wanted = [each for each in self.against if aim.atom in each.values]
        if not wanted or not isinstance(listed, list) or not reordered(listed, sources):
            return
        if any(atom == wanted[0].wanted for _, atom in atoms(listed)):
            why, name = f"it put what it was given into this order; {wanted[0].said}", shown_path(path)
            self.suspect("model_error", 0.8, aim, why, said, model=self._model(said), input=name)

    def _copied(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim] | None:
        """Where a yes or no stands under the same key in what was given: it was handed on. None where it does not."""
        value = at_path(replied(passed, said), aim.spot.path[1:])
        if not isinstance(value, bool):
            return None
        found, before = self._flags(takens, aim, value), len(self.found)
        for call in effects:
            if call.kind == "tool" and call.result is not None:
                for path in flags(call.result.value, str(aim.spot.path[-1]), value):
                    self._result(call, aim, path, ())
        return found if found or len(self.found) > before else None

    def _gave_nothing(self, passed: Passed, said: Met, sources: Sequence[Any], aim: Aim) -> None:
        """An empty text where nothing that the model was given is empty, and that there is nothing was noticed."""
        if not aim.empty or aim.atom is not None or any(True for _ in empties(sources)):
            return
        value = at_path(replied(passed, said), aim.spot.path[1:])
        for path in empties(value):
            if at_path(value, path) in ("", None):
                name, why = shown_path((*aim.spot.path, *path)), "it gave nothing, and was given something"
                self.suspect("model_error", 0.6, aim, why, said, model=self._model(said), input=name)

    def _chose_another(self, passed: Passed, said: Met, aim: Aim) -> None:
        """A word beside those that its question names, where a check wants one of just these."""
        asked, atom = own_words(passed), aim.atom
        for words in self.words if isinstance(atom, str) and holds(asked, atom) is None else ():
            if atom not in words and all(holds(asked, each) is not None for each in words):
                name, why = shown_path(aim.spot.path), f"it was to choose one of {', '.join(sorted(words))}"
                self.suspect("model_error", 0.7, aim, why, said, model=self._model(said), input=name)

    def _refused_within(self, passed: Passed, said: Met, aim: Aim) -> None:
        """A text of a reply that says that there is none."""
        value = at_path(replied(passed, said), aim.spot.path[1:])
        if isinstance(value, str) and value.strip() and (wrong := against_reply(value)) is not None:
            name = shown_path(aim.spot.path)
            self.suspect("model_error", wrong.weight, aim, wrong.why, said, model=self._model(said), input=name)

    def _judged(self, passed: Passed, said: Met, aim: Aim) -> None:
        text = said.result.text if said.result is not None else ""
        calls = said.result is not None and isinstance(said.result.value, Mapping) and said.result.value.get("calls")
        if said.result is not None and said.result.text != at_path(replied(passed, said), aim.spot.path[1:]):
            self._refused_within(passed, said, aim)
        if (
            said.result is not None
            and not calls
            and (wrong := against_reply(text, cut_off=said.result.cut_off)) is not None
        ):
            self.suspect("model_error", wrong.weight, aim, wrong.why, said, model=self._model(said), input="prompt")

    def _quoted(
        self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim] | None:
        """Of a sentence: where the model was given the very words; nowhere, where it calls them a quote and was not.
        None for what is no such sentence."""
        value = at_path(replied(passed, said), aim.spot.path[1:])
        if aim.atom is not None or not isinstance(value, str) or not is_prose(value):
            return None
        here = self._word_for_word(takens, aim, value)
        if here or str(aim.spot.path[-1]).casefold() not in _QUOTES:
            return here or None
        told = self._told(effects, takens)
        pages = [page.text for one in effects for page in self._read(one)]
        asked = [getattr(each.given, "prompt", "") for each in effects]
        given = [text for _, text in texts_of([told, pages, asked])]
        if any(_words(value) in _words(each) for each in given):
            return None
        name, why = shown_path(aim.spot.path), "these words stand nowhere in what the model was given"
        self.suspect("hallucinated_value", 0.85, aim, why, said, model=self._model(said), input=name)
        return []

    def _not_read(self, passed: Passed, said: Met, aim: Aim) -> bool:
        """Whether a model was not given a page because of a rule that came meanwhile, and that page is about what it
        was asked."""
        asked = frozenset(stems(own_words(passed)))
        for each in self._facts.unread(said.action) if said.action else ():
            about = max((len(asked & frozenset(stems(one))) for one in each.text.splitlines()), default=0)
            if about >= ABOUT:
                why, rule = f"a page that speaks of it could not be read: {each.change.said}", each.change.rule
                self.suspect("policy_change", 0.92, aim, why, said, model=self._model(said), input=rule)
                return True
        return False

    def _gainsaid(self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> bool:
        """Whether what the model was given says otherwise under the very key of the value; blamed where that is so."""
        value, key = at_path(replied(passed, said), aim.spot.path[1:]), aim.spot.path[-1]
        told = [
            each for one in self._told(effects, takens) for each in under(one, str(key)) if type(each) is type(value)
        ]
        prose = isinstance(value, str) and is_prose(value)  # it may well say the same in other words
        if value in (None, "") or prose or isinstance(key, int) or not told or any(_same(each, value) for each in told):
            return False
        if isinstance(value, str) and (translates(passed) or _is_shorter(passed, value, told)):
            return False
        name, why = shown_path(aim.spot.path), f"it was given {key} {told[0]!r}, and says {value!r}"
        weight = 0.9 if aim.plainly and aim.atom is not None else 0.7
        self.suspect("hallucinated_value", weight, aim, why, said, model=self._model(said), input=name)
        return True


def _is_shorter(passed: Passed, value: str, told: Sequence[str]) -> bool:
    """Whether a text is a shorter form of one that was given, as it was asked to be."""
    return asks_for_less(passed) and any(much_of(value, each) for each in told)


def much_of(short: str, long: str) -> bool:
    """Whether a text without figures has mostly words of another."""
    words, others = (set(_WORD.findall(each.casefold())) for each in (short, long))
    return len(words & others) * 2 > len(words) and not any(each.isdigit() for each in short)


def _words(text: str) -> str:
    """A text as its words alone, with one blank around each."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _same(one: Any, other: Any) -> bool:
    """Whether two leaves are the same, however they are written."""
    atom = atom_of(one)
    return one == other if atom is None else atom == atom_of(other)


def replied(passed: Passed, said: Met) -> Any:
    """The data that a step made of what its model said."""
    if said.kind != "turn":
        return said.result.value if said.result is not None else None
    kept = passed.result or (passed.failed.result if passed.failed is not None else None)
    return kept.value if kept is not None else None


def words_of(effects: Sequence[Met]) -> str:
    """What was asked and answered, as text."""
    asked = [getattr(each.given, "prompt", "") for each in effects]
    return " ".join([*asked, *(each.result.text for each in effects if each.result is not None)])


def last_turn(effects: Sequence[Met]) -> Met:
    """What an agent said last."""
    turns = [each for each in effects if each.kind == "turn"]
    return turns[-1] if turns else effects[-1]
