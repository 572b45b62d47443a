"""What models said: what speaks against a reply by itself, and against a value of one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fairlead.workflows.tracing.calls import Calls
from fairlead.workflows.tracing.dataflow import Taken, at_path, under
from fairlead.workflows.tracing.evidence import against_reply
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.looking import Aim, texts_of
from fairlead.workflows.tracing.matching import atom_of, is_prose, shown_path
from fairlead.workflows.tracing.replaying import Passed

_QUOTES: Final = frozenset("quote quotation citation excerpt passage verbatim zitat".split())  # noqa: SIM905
"""Keys of what is said to stand somewhere word by word."""
_WORD: Final = re.compile(r"\w+")


class Replies(Calls):
    """The part of a search that looks at replies."""

    def _judged_here(self, passed: Passed, said: Met, aim: Aim) -> None:
        """A judgement of a model: no suspect as long as something else is."""
        name, before = shown_path(aim.spot.path), len(self.found)
        self.suspect("model_error", 0.3, aim, "it was judged here", said, model=self._model(said), input=name)
        self.judged += self.found[before:]
        del self.found[before:]

    def _judged(self, said: Met, aim: Aim) -> None:
        text = said.result.text if said.result is not None else ""
        calls = said.result is not None and isinstance(said.result.value, Mapping) and said.result.value.get("calls")
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
        told = [each.result.value for each in effects if each.kind == "tool" and each.result is not None]
        pages = [page.text for one in effects for page in self._read(one)]
        asked = [getattr(each.given, "prompt", "") for each in effects]
        given = [text for _, text in texts_of([[each.value for each in takens], told, pages, asked])]
        if any(_words(value) in _words(each) for each in given):
            return None
        name, why = shown_path(aim.spot.path), "these words stand nowhere in what the model was given"
        self.suspect("hallucinated_value", 0.85, aim, why, said, model=self._model(said), input=name)
        return []

    def _gainsaid(self, passed: Passed, said: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim) -> bool:
        """Whether what the model was given says otherwise under the very key of the value; blamed where that is so."""
        value, key = at_path(replied(passed, said), aim.spot.path[1:]), aim.spot.path[-1]
        given = [each.value for each in takens] + [
            each.result.value for each in effects if each.kind == "tool" and each.result is not None
        ]
        told = [each for one in given for each in under(one, str(key)) if type(each) is type(value)]
        if value in (None, "") or isinstance(key, int) or not told or any(_same(each, value) for each in told):
            return False
        name, why = shown_path(aim.spot.path), f"it was given {key} {told[0]!r}, and says {value!r}"
        weight = 0.9 if aim.plainly and aim.atom is not None else 0.7
        self.suspect("hallucinated_value", weight, aim, why, said, model=self._model(said), input=name)
        return True


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
