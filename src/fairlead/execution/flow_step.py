"""One thing that a run was told or has read, and what can be proven by it."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from fairlead.execution.attested import Leaf, Texts, leaves_of, singles
from fairlead.execution.sieve import may_hold, may_share, sieve_of
from fairlead.labels import NO_LABELS, Labels
from fairlead.policy.tool_rights import Sources

WORDS: Final = ("user", "workspace")
"""Sources that no tool, document or model can speak as."""

_MARKS_KEPT: Final = 4096
_ANSWERS_KEPT: Final = 64
_NOT_ASKED: Final[Sources] = frozenset({"not asked"})  # in place of an answer
_NOWHERE: Final[Sources] = frozenset()


class Given(Struct, frozen=True, dict=True):
    """An argument of an earlier call, and where it came from. Made by `given_as`."""

    value: Any
    sources: Sources
    leaves: frozenset[Leaf]
    texts: tuple[str, ...]

    def stands(self, leaf: Leaf) -> bool:
        """Whether it stands in the argument: an echo of it may be shorter than what was given."""
        return leaf in self.leaves or self._said.hold(leaf)

    def is_part(self, of: Leaf) -> bool:
        """Whether some of the argument stands in a longer text."""
        if not isinstance(of, str):
            return False
        longer = Texts((of,))
        return any(
            longer.hold(each) for each in self.leaves if not isinstance(each, str) or each.split(" ", 1)[0] in of
        )

    @cached_property
    def _said(self) -> Texts:
        return Texts(self.texts)


def given_as(value: Any, sources: Sources) -> Given:
    """An argument, with all in it that could be found again."""
    return Given(value, sources, frozenset(leaves_of(value)), _texts(value))


class Step(Struct, frozen=True, kw_only=True, dict=True):
    """One thing that was said or read. `given` are the arguments of the call that it answers: what a tool echoes is no
    news, and what was put into a system comes back from there as what it was. `marks` tell it again where somebody
    passes it on.

    Where steps were merged there is no `value` but a `sieve`, which tells what cannot have stood in them, and one of
    what was `put_in`.
    """

    id: str
    sources: Sources
    value: Any = None
    labels: Labels = NO_LABELS
    given: tuple[Given, ...] = ()
    marks: tuple[bytes, ...] = ()
    sieve: bytes = b""
    put_in: bytes = b""
    leaves: frozenset[Leaf] = frozenset()
    texts: tuple[str, ...] = ()

    @property
    def is_words(self) -> bool:
        """Whether it was said, by whomever, and not read from a system."""
        return not self.sieve and not self.sources.isdisjoint(WORDS)

    def says(self, leaf: Leaf) -> bool:
        """Whether it stands anywhere in it, also inside a longer text."""
        return leaf in self.leaves or self._said.hold(leaf)

    def told(self, leaf: Leaf) -> bool:
        """Whether it stands whole in the words that were said."""
        return self._words.hold(leaf)

    @cached_property
    def _said(self) -> Texts:
        return Texts(self.texts)

    @cached_property
    def _words(self) -> Texts:
        return Texts((self.value,))

    def came(self, leaf: Leaf) -> Sources | None:
        """Where a value came from that came by this step, out of it or into the call: from its own source, and from
        whoever had put it into the call. None where it did not."""
        answered = self._answered.get(leaf, _NOT_ASKED)
        if answered is _NOT_ASKED:
            if len(self._answered) >= _ANSWERS_KEPT:
                self._answered.clear()
            answered = self._answered[leaf] = self._came(leaf)
        return answered

    @cached_property
    def _answered(self) -> dict[Leaf, Sources | None]:
        """What was asked before: an agent names the same things in one call after the other."""
        return {}

    def _came(self, leaf: Leaf) -> Sources | None:
        if self.sieve:
            return self.sources if may_hold(self.sieve, leaf) or may_share(self.put_in, leaf) else None
        put = self.put(leaf)
        return self.sources | put if self.says(leaf) else put or None

    def sources_of(self, leaf: Leaf | None) -> Sources:
        """As `came`, for a value that is known to stand in it; of no value in particular, all that it may be from."""
        if leaf is None:
            return self.sources.union(*(each.sources for each in self.given))
        return self.came(leaf) or self.sources

    @property
    def put_by(self) -> Sources:
        """Where whatever was put into this call came from."""
        return self.sources if self.sieve else frozenset().union(*(each.sources for each in self.given))

    def put(self, leaf: Leaf) -> Sources:
        """Where it came from where it, or a part of it, was put into this call; nowhere, if it was not."""
        if self.sieve:
            return self.sources if may_share(self.put_in, leaf) else _NOWHERE
        return frozenset().union(*(each.sources for each in self.given if each.stands(leaf) or each.is_part(leaf)))


def step_of(id_: str, sources: Sources, value: Any, labels: Labels = NO_LABELS, given: Iterable[Given] = (),
            marks: Iterable[bytes] = ()) -> Step:  # fmt: skip
    """A step, with all in its value that could be found again."""
    return Step(
        id=id_, sources=sources, value=value, labels=labels, given=tuple(given), marks=tuple(marks),
        leaves=frozenset(leaves_of(value)),
        texts=_texts(value),
    )  # fmt: skip


def merged(id_: str, steps: Iterable[Step]) -> Step:
    """All of them as one: every value that may have stood in any comes from all their sources, and nothing that was
    said there proves anything any more."""
    every = tuple(steps)
    given = [given.value for each in every for given in each.given]
    return Step(
        id=id_,
        sources=frozenset().union(*(each.sources_of(None) for each in every)),
        labels=joined(every),
        marks=tuple(mark for each in every for mark in each.marks)[-_MARKS_KEPT:],
        sieve=sieve_of([*given, *(each.value for each in every)], [each.sieve for each in every if each.sieve]),
        put_in=sieve_of(given, [each.put_in for each in every if each.sieve]),
    )


def joined(steps: Iterable[Step]) -> Labels:
    """The labels of all of them together."""
    labels = NO_LABELS
    for each in steps:
        labels = labels.joined(each.labels)
    return labels


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in singles(value) if isinstance(each, str))
