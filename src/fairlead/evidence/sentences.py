"""Passages as sentences whose words can be compared: what is one sentence, and which words mean about the same.

Everything here is linear in the length of what is read, and reads no more than `MOST_CHARACTERS`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from fairlead.evidence.synonyms import SENSES
from fairlead.models.quoting import units_of
from fairlead.models.types import Passage
from fairlead.models.words import stem_of, words

MOST_CHARACTERS: Final = 120_000
"""Of all passages together; what comes after is not read."""
_LONGEST: Final = 700  # characters of a sentence; longer ones are cut at their semicolons, else at a space
_SHORTEST: Final = 25
_CLAUSE: Final = re.compile(r"(?<=[;:])\s+|\n+")
_BEGINNING: Final = 4  # letters by which related words begin alike


class Sentence(Struct, frozen=True):
    """`words` are folded, in order; `stems` go with them, "" for words that carry no subject."""

    passage: int
    text: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    said: frozenset[str]

    @property
    def folded(self) -> frozenset[str]:
        """All words, stop words too: by their stem where they have one."""
        return frozenset(stem or word for word, stem in zip(self.words, self.stems, strict=True))


def sentence_of(text: str, passage: int = 0) -> Sentence:
    """A sentence with its words and their stems. `passage` is the place of the text that it stands in."""
    plain = tuple(words(text))
    stems = tuple(map(stem_of, plain))
    return Sentence(passage, text, plain, stems, frozenset(stems) - {""})


def sentences_of(passages: Sequence[Passage]) -> list[Sentence]:
    """All that the passages say, in order."""
    found: list[Sentence] = []
    left = MOST_CHARACTERS
    for number, passage in enumerate(passages):
        text = passage.text[: max(0, left)]
        left -= len(text)
        bounded = Passage(passage.citation, passage.title, text)
        found += (sentence_of(piece, number) for unit in units_of(bounded, number) for piece in _pieces(unit.text))
    return [each for each in found if each.said]


def _pieces(text: str) -> Iterator[str]:
    """A sentence, or what a long one is made of."""
    if len(text) <= _LONGEST // 2:
        yield text
        return
    held = ""
    for clause in _CLAUSE.split(text):
        held = f"{held} {clause}".strip()
        while len(held) > _LONGEST:
            cut = held.rfind(" ", _LONGEST // 2, _LONGEST)
            cut = cut if cut > 0 else _LONGEST
            yield held[:cut]
            held = held[cut:].strip()
        if len(held) >= _SHORTEST:
            yield held
            held = ""
    if held:
        yield held


class Likeness:
    """Which words of some sentences are about the same as a word that is asked for."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        vocabulary = frozenset[str]().union(*(each.said for each in sentences))
        by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        by_sense: defaultdict[int, list[str]] = defaultdict(list)
        for word in sorted(vocabulary):
            by_beginning[word[:_BEGINNING]].append(word)
            for sense in SENSES.get(word, ()):
                by_sense[sense].append(word)
        self._vocabulary = vocabulary
        self._by_beginning: Mapping[str, list[str]] = by_beginning
        self._by_sense: Mapping[int, list[str]] = by_sense

    def same(self, word: str) -> frozenset[str]:
        """The words of the sentences that stand for it: itself, what begins alike, what means about the same."""
        alike = {each for each in self._by_beginning.get(word[:_BEGINNING], ()) if _begins_alike(word, each)}
        for sense in SENSES.get(word, ()):
            alike.update(self._by_sense.get(sense, ()))
        return frozenset(alike | {word}) & self._vocabulary


def _begins_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= _BEGINNING and shared >= 0.6 * max(len(one), len(other)) and not (one + other).isdigit()
