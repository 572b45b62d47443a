"""Sentences of different pieces that cannot both be true, as far as words can show it.

Only what is said in nearly the same words is compared, so that what is found is nearly always worth a look, and most
contradictions are not found. What is shown is a doubt about two sentences, not a verdict on which of them is right.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.evidence.differences import Difference, difference, subject
from fairlead.evidence.sentences import Sentence, sentences_of
from fairlead.models.types import Passage

_LEAST_SHARED: Final = 3  # words that carry a subject
_SAME: Final = 0.6  # of the words of both, numbers left out
_MOST_LIKE: Final = 12  # a word that more sentences have tells none of them
_MOST: Final = 50
_CODE: Final = re.compile(r"[{}]|</|/\*|<!--")  # what programs read is alike without being about anything


class Conflict(Struct, frozen=True):
    """`one` and `other` are places of passages; `how` they differ."""

    one: int
    other: int
    sentence: str
    against: str
    how: Difference


def conflicts(passages: Sequence[Passage]) -> list[Conflict]:
    """The conflicts between different passages, in order. Linear in what is read, fifty at most."""
    sentences = [each for each in sentences_of(passages) if not _CODE.search(each.text)]
    subjects = [subject(each.said) for each in sentences]
    found: list[Conflict] = []
    for one, other in _near(sentences, subjects):
        first, second = sentences[one], sentences[other]
        if how := difference(first, second):
            found.append(Conflict(first.passage, second.passage, first.text, second.text, how))
            if len(found) >= _MOST:
                break
    return found


def _near(sentences: Sequence[Sentence], subjects: Sequence[frozenset[str]]) -> Iterator[tuple[int, int]]:
    """Pairs of sentences of different passages in nearly the same words."""
    holding: defaultdict[str, list[int]] = defaultdict(list)
    for number, mine in enumerate(subjects):
        shared: Counter[int] = Counter()
        for word in sorted(mine):
            shared.update(holding[word])
            if len(holding[word]) < _MOST_LIKE:
                holding[word].append(number)
        for earlier in sorted(shared):
            if sentences[earlier].passage != sentences[number].passage and _alike(subjects[earlier], mine):
                yield earlier, number


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared >= _LEAST_SHARED and shared >= _SAME * len(one | other)
