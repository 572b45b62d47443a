"""Whether a claim is borne out by the pieces that it cites: by its words, its numbers and what they say differently.

A claim in words of its own that follows from a piece is often *unclear* here, and one that turns a piece into something
else with the piece's own words can pass: words are looked at, nothing is understood.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from fairlead.evidence.asked import Asked, asked_of, numbers_in
from fairlead.evidence.differences import Difference, difference, subject
from fairlead.evidence.sentences import Sentence, sentence_of, sentences_of
from fairlead.models.types import Passage

Verdict = Literal["supported", "contradicted", "unclear"]

SUPPORTED_BY_ONE: Final = 0.5
"""The share of a claim's words, by their rarity, that must stand in one sentence, or in two that follow each other."""
SUPPORTED_BY_ALL: Final = 0.75
"""The share that must stand somewhere in one piece."""
_CONTRADICTED_BY: Final = 0.75


class Found(Struct, frozen=True):
    """`piece` is the place of the piece that decided, -1 where there is none, and `sentence` what stands there."""

    verdict: Verdict
    piece: int = -1
    sentence: str = ""
    how: Difference = ""


class Pieces:
    """Pieces that claims are held against, read once."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._sentences = sentences_of(passages)
        self._texts = [f"{each.title} {each.text}" for each in passages]
        self._titles = [sentence_of(each.title).said for each in passages]

    def check(self, claim: str, cited: Sequence[int] | None = None) -> Found:
        """What the pieces say of a claim; `cited` are the places of those that may bear it out, None for all."""
        may = range(len(self._texts)) if cited is None else cited
        sentences = [each for each in self._sentences if each.passage in may]
        asked = asked_of(claim, sentences)
        if not sentences or not asked.weights:
            return Found("unclear")
        place = max(range(len(sentences)), key=lambda number: asked.share(sentences[number].said))
        nearest = sentences[place]
        how = "" if _stands_in(asked.sentence, nearest) else difference(asked.sentence, nearest)
        if how and _about(asked, nearest) >= _CONTRADICTED_BY and not self._said_elsewhere(asked, sentences, nearest):
            return Found("contradicted", nearest.passage, nearest.text, how)
        numbers = numbers_in(claim)
        known = frozenset[str]().union(*(numbers_in(self._texts[number]) for number in may)) if numbers else numbers
        if not how and numbers <= known and self._borne_out(asked, sentences, nearest.passage):
            return Found("supported", nearest.passage, nearest.text)
        return Found("unclear", nearest.passage, nearest.text)

    def _said_elsewhere(self, asked: Asked, sentences: Sequence[Sentence], nearest: Sentence) -> bool:
        """Whether another sentence says as much of the claim and does not differ from it."""
        return any(
            _about(asked, each) >= _CONTRADICTED_BY and not difference(asked.sentence, each)
            for each in sentences
            if each is not nearest
        )

    def _borne_out(self, asked: Asked, sentences: Sequence[Sentence], piece: int) -> bool:
        said = [each.said | self._titles[piece] for each in sentences if each.passage == piece]
        if any(asked.share(one) >= SUPPORTED_BY_ONE for one in said):
            return True
        if any(asked.share(one | other) >= SUPPORTED_BY_ONE for one, other in pairwise(said)):
            return True
        return asked.share(frozenset[str]().union(*said)) >= SUPPORTED_BY_ALL


def _about(asked: Asked, sentence: Sentence) -> float:
    """How much of what a claim is about stands in a sentence, whatever numbers and which of two opposites it names."""
    words = subject(frozenset(asked.weights))
    whole = sum(asked.weights[word] for word in words)
    return sum(asked.weights[word] * asked.hold(word, sentence.said) for word in words) / whole if whole else 0.0


def _stands_in(claim: Sentence, sentence: Sentence) -> bool:
    """Whether the claim stands there word by word."""
    return f" {' '.join(claim.words)} " in f" {' '.join(sentence.words)} "


def supported(claim: str, pieces: Sequence[Passage]) -> Found:
    """Whether the pieces bear out one claim."""
    return Pieces(pieces).check(claim)
