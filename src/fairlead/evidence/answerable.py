"""Whether passages hold what answers a question, or speak of what a statement says: a likelihood, and why it is low.

Learned from questions that were written to look answerable where they are not (`evals/train_checker.py`), as weights
of some thirty measures of words, and as many of a small model's vectors where there is one. It proves nothing: it is
one voice among the requirements of a task type.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.evidence.asked import Asked, asked_of
from fairlead.evidence.by_meaning import MOST_SENTENCES, Reader, meaning_measures
from fairlead.evidence.measures import question_measures, statement_measures
from fairlead.evidence.sentences import Sentence, sentences_of
from fairlead.models.types import Passage

MOST_PASSAGES: Final = 24
MOST_READ: Final = 4
"""Passages that a model reads: those that hold most of the question."""
_MOST_REASONS: Final = 4
_NEARLY: Final = 0.6
"""Passages that hold less of the question than this share of what the best one holds are not asked."""
_MOST_BY_SHARE: Final = 2.0
"""What was learned is of passages on the subject: one that holds hardly a word of the question answers nothing."""


class Answerable(Struct, frozen=True):
    """`score` is 0 to 1. `passage` is the place of the one that comes nearest (-1: none), `sentence` what stands there;
    `reasons` say what speaks against it, for people."""

    score: float
    reasons: tuple[str, ...] = ()
    passage: int = -1
    sentence: str = ""


class Weights(Struct, frozen=True):
    """A learned sum: for each measure its weight, and the bounds within which it was seen when it was learned."""

    intercept: float
    measures: dict[str, tuple[float, float, float]]

    def score(self, measured: Mapping[str, float]) -> float:
        """From 0 to 1, by logistic regression. Each measure counts no further than it was seen in training."""
        total = self.intercept
        for name, (weight, low, high) in self.measures.items():
            total += weight * min(max(measured[name], low), high)
        return 1 / (1 + math.exp(-total))


class Learned(Struct, frozen=True):
    """What `evals/train_checker.py` has learned, and the digests of the documents that it learned from."""

    question: Weights
    question_by_meaning: Weights
    statement: Weights
    seen: frozenset[str]


@lru_cache(maxsize=1)
def learned() -> Learned:
    """The weights that this version brings."""
    return msgspec.json.decode(files("fairlead.evidence").joinpath("weights.json").read_bytes(), type=Learned)


def answerable(question: str, passages: Sequence[Passage], reader: Reader | None = None) -> Answerable:
    """How likely one of the passages holds the answer to a question. Each is read by itself, the best one counts.
    With a `reader` the passages that hold most of its words are judged by what they mean, too."""
    read = [(number, sentences_of([passage])) for number, passage in enumerate(passages[:MOST_PASSAGES])]
    held = [_Read(number, sentences, question) for number, sentences in read if sentences]
    if not held:
        return Answerable(0.0, ("there is nothing to answer from",))
    if not held[0].asked.weights:
        return Answerable(0.0, ("the question has no word that says what it is about",))
    most = max(each.share for each in held)
    likely = [each for each in held if each.share >= _NEARLY * most]
    if reader is not None:
        likely = sorted(likely, key=lambda each: -each.share)[:MOST_READ]
    best, score = max(((each, each.score(reader)) for each in likely), key=lambda found: found[1])
    top = best.sentences[best.nearest]
    reasons = tuple(_against(best.asked, best.sentences, best.nearest))[:_MOST_REASONS]
    return Answerable(score, reasons, best.number, top.text)


class _Read:
    """One passage, read for a question. `share` is how much of the question stands in its nearest sentence."""

    def __init__(self, number: int, sentences: Sequence[Sentence], question: str) -> None:
        self.number, self.sentences = number, sentences
        self.asked = asked_of(question, sentences)
        self.nearest = nearest_to(self.asked, sentences)
        self.share = self.asked.share(sentences[self.nearest].said)

    def score(self, reader: Reader | None) -> float:
        measured = measured_of(self.asked, self.sentences, reader)
        weights = learned().question if reader is None else learned().question_by_meaning
        return min(weights.score(measured), _MOST_BY_SHARE * self.share)


def measured_of(asked: Asked, sentences: Sequence[Sentence], reader: Reader | None) -> dict[str, float]:
    """All measures of a question and one passage."""
    nearest = nearest_to(asked, sentences)
    measured = question_measures(asked, sentences, nearest)
    if reader is None:
        return measured
    shares = [asked.share(each.said) for each in sentences]
    most = sorted(sorted(range(len(shares)), key=lambda place: -shares[place])[:MOST_SENTENCES])
    (mine,) = reader.read([asked.sentence.text])
    theirs = reader.read([sentences[place].text for place in most])
    return measured | meaning_measures(mine, theirs, most.index(nearest))


def mentioned(statement: str, passages: Sequence[Passage]) -> Answerable:
    """How likely the passages say anything of what a statement says, be it yes or no. All are read as one text."""
    sentences = sentences_of(passages)
    asked = asked_of(statement, sentences)
    if not sentences or not asked.weights:
        return Answerable(0.0, ("there is nothing to hold it against",))
    nearest = nearest_to(asked, sentences)
    score = learned().statement.score(statement_measures(asked, sentences))
    top = sentences[nearest]
    return Answerable(score, tuple(_unsaid(asked, top, sentences))[:_MOST_REASONS], top.passage, top.text)


def nearest_to(asked: Asked, sentences: Sequence[Sentence]) -> int:
    """The place of the sentence that holds most of what is asked; the first of several."""
    shares = [asked.share(each.said) for each in sentences]
    return max(range(len(shares)), key=shares.__getitem__)


def _against(asked: Asked, sentences: Sequence[Sentence], nearest: int) -> Iterator[str]:
    top = sentences[nearest]
    measured = question_measures(asked, sentences, nearest)
    yield from _unsaid(asked, top, sentences)
    if measured["numbers_missing"]:
        yield "a number of the question does not stand where the rest does"
    if measured["opposite_here"]:
        yield "the passage says the opposite word"
    if measured["denial_differs"]:
        yield "one of them says that something is not so, the other does not"
    if not measured["fits"]:
        yield f"no {asked.wanted} stands there that could be the answer"


def _unsaid(asked: Asked, top: Sentence, sentences: Sequence[Sentence]) -> Iterator[str]:
    words = dict(zip(asked.sentence.stems, asked.sentence.words, strict=True))
    everything = frozenset[str]().union(*(each.said for each in sentences))
    for stem in sorted(asked.weights, key=lambda each: -asked.weights[each]):
        if not asked.hold(stem, everything):
            yield f"nothing is said of {words[stem]!r}"
        elif not asked.hold(stem, top.said):
            yield f"{words[stem]!r} is said elsewhere only"
