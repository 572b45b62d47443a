"""What a search through a run knows and finds: the same for replies, results and pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.models.words import stems
from fairlead.workflows.tracing.dataflow import Dataflow, Spot, Taken
from fairlead.workflows.tracing.evidence import against_page, against_sibling
from fairlead.workflows.tracing.facts import Facts, Page
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.leaves import flags, paths_of, size, texts_of
from fairlead.workflows.tracing.matching import Atom, atom_of, atoms, is_prose, numbers_in, shown_atom
from fairlead.workflows.tracing.opposed import Opposition
from fairlead.workflows.tracing.replaying import Passed, Rerun
from fairlead.workflows.tracing.suspects import Cause, Link, Suspect
from fairlead.workflows.tracing.telling import own_words

ABOUT: Final = 2  # words of a question that a page has too which is about it
_MOST: Final = 2000  # places that one search looks at
_LEAST: Final = 20  # of them, however much there is at each
_LEAVES: Final = 4_000_000  # that one search goes over, some 10 microseconds each
_OTHER_WORDS: Final = 0.41  # of a page that was judged by and has changed, though no figure of it


class Aim(Struct, frozen=True):
    """What is looked for: a value at a spot. Without an atom, all that its step was given. `plainly`: the value itself
    was noticed, and not something that was judged by it. `empty`: what was noticed is that there is nothing.
    `looked_up`: something was looked up by it, so it is not where the value in question came from. `part` is how much
    what speaks against it counts, 1 for all. `converted`: the value in question is this one in another unit."""

    spot: Spot
    atom: Atom | None
    plainly: bool
    chain: tuple[Link, ...]
    empty: bool = False
    looked_up: bool = False
    part: float = 1.0
    converted: bool = False


def places(run: Rerun) -> int:
    """At how many places of a run a search looks. At each it may go over the largest of the run's values, so the larger
    that is, the fewer."""
    results = [*(each.result for each in run.steps.values()), *(each.result for each in run.met.values())]
    most = max((size(each.value) for each in results if each is not None), default=1)
    return min(_MOST, max(_LEAST, _LEAVES // most))


class Looking:
    """At one run. `found` are the suspects, `judged` the judgements of models that were come to. `against` is what a
    check wanted values to be, and `words` those of which it wanted one."""

    def __init__(
        self,
        flow: Dataflow,
        facts: Facts,
        against: Sequence[Opposition] = (),
        words: Sequence[frozenset[str]] = (),
    ) -> None:
        self.against = against
        self.words = words
        self.found: list[Suspect] = []
        self.judged: list[Suspect] = []
        self._flow = flow
        self._facts = facts
        self._left = self._places = places(flow.run)
        self._pages: dict[str, tuple[Page, ...]] = {}

    def suspect(
        self, cause: Cause, weight: float, aim: Aim, why: str, at: "Met | Passed | None" = None, **more: Any
    ) -> None:
        """Note a cause. Step and place are those of `at`, or of the aim where nothing else is named."""
        passed = self._flow.step_of(at.at) if at is not None else self._flow.run.steps.get(aim.spot.place)
        step = passed.at.text if passed is not None else ""
        place = at.at.text if at is not None else aim.spot.place
        chain = tuple(reversed(aim.chain))
        self.found.append(
            Suspect(cause=cause, weight=weight * aim.part, step=step, place=place, why=why, chain=chain,
                    value=more.pop("value", shown_atom(aim.atom)), **more)
        )  # fmt: skip

    def _matched(self, takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """Where a value stands in what was taken, and the search goes on. Of several the one under its own name."""
        atom = aim.atom
        if atom is None:
            return []
        found = [
            replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)))
            for each in takens
            for path in paths_of(each.value, atom, aim.spot.path)
        ]
        key = str(aim.spot.path[-1]) if aim.spot.path else ""
        named = [each for each in found if each.spot.path and str(each.spot.path[-1]) == key]
        return named or found

    def _word_for_word(self, takens: Sequence[Taken], aim: Aim, text: Any) -> list[Aim]:
        """Where a whole sentence stands in what was taken."""
        if aim.atom is not None or not isinstance(text, str) or not is_prose(text):
            return []
        return [
            replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)))
            for each in takens
            for path, found in texts_of(each.value)
            if found == text
        ]

    def _flags(self, takens: Sequence[Taken], aim: Aim, value: bool) -> list[Aim]:
        """Where a yes or no stands in what was taken, under its own key."""
        return [
            replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)))
            for each in takens
            for path in flags(each.value, str(aim.spot.path[-1]), value, each.spot.path)
        ]

    def _all(self, takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """All that was taken: whatever of it may be at fault."""
        found = []
        for each in takens:
            leaves = list(atoms(each.value))
            for path, atom in leaves:
                spot = Spot(each.spot.place, (*each.spot.path, *path))
                found.append(replace(aim, spot=spot, atom=atom, plainly=False))
            if (
                not leaves
                or isinstance(each.value, list)
                or (isinstance(each.value, Mapping) and any(atom_of(one) is None for one in each.value.values()))
            ):
                found.append(replace(aim, spot=each.spot, atom=None, plainly=False))
        return found

    def _each(self, takens: Sequence[Taken], aim: Aim) -> list[Aim]:
        """What a tool was given, as it was."""
        return [
            replace(aim, spot=Spot(each.spot.place, (*each.spot.path, *path)), atom=atom, looked_up=True, empty=False)
            for each in takens
            for path, atom in atoms(each.value)
        ]

    def _read(self, met: Met) -> tuple[Page, ...]:
        if not met.action or met.kind == "tool":
            return ()
        if met.action not in self._pages:
            self._pages[met.action] = self._facts.pages(met.action)
        return self._pages[met.action]

    def _page(
        self, page: Page, passed: Passed, aim: Aim, model: str, *, alone: bool, beside: Sequence[Page] = ()
    ) -> None:
        """A page that has the value. Where others that are in order have it too (not `alone`), it matters less.
        `beside` are the pages that were put before the model with it."""
        atom = aim.atom
        found = None if atom is None else against_page(page, atom) or against_sibling(page, atom, beside)
        if found is None:
            why = "the page says so, and says so still"
            self.suspect("data", 0.35, aim, why, passed, input=page.citation, model=model)
        else:
            weight = found.weight if alone else found.weight / 2
            self.suspect("stale_context", weight, aim, found.why, passed, input=page.citation, model=model)

    def _page_changed(self, page: Page, passed: Passed, aim: Aim, model: str) -> None:
        """A page with other figures by now, beside what was judged: no value is known to be of it, so little speaks."""
        about: dict[str, Any] = {"input": page.citation, "model": model}
        for atom in dict.fromkeys(numbers_in(page.text)):
            if (found := against_page(page, atom)) is not None:
                more = about | {"value": shown_atom(atom)}
                self.suspect("stale_context", found.weight / 2, aim, found.why, passed, **more)
        asked = frozenset(stems(own_words(passed)))
        if page.newer is not None and len(asked & frozenset(stems(page.text))) >= ABOUT:
            why = "the page is about what was judged, and is in other words by now"
            self.suspect("stale_context", _OTHER_WORDS, aim, why, passed, **about)

    def _model(self, met: Met) -> str:
        run = met.action or (met.failed.run if met.failed is not None else "")
        found = self._facts.action(run) if run else None
        return found.model if found is not None else ""

    def _tried(self, met: Met) -> tuple[Any, ...]:
        found = self._facts.action(met.action) if met.action else None
        return found.attempts if found is not None else ()
