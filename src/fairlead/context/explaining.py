"""Why a search found what it found, in that order: what each word adds, how near a section is in meaning, and its place
by either. Told of the very scores that the search ranks by, and of visible sections alone. Pure.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from fairlead.context.ranking import MOST_WORDS, Ranked, Word

_EXACT: Final = 6  # decimals


class Said(Struct, frozen=True):
    """What the words of a question are where somebody may read: each with its word, and what it counts in the question:
    1, and less for what the glossary adds."""

    stem: str
    word: Word
    counts: float


class Scores(Struct, frozen=True):
    """What a search ranks by: the scores `by_words`, the nearness where there is any, and what came of both."""

    by_words: Mapping[int, float]
    near: Mapping[int, float] | None
    both: Mapping[int, float]


class Reason(Struct, frozen=True, kw_only=True):
    """Why a section stands where it stands. `words` are stems of the question with what each adds, `by_words` is their
    sum and `nth_by_words` its place among the visible sections by that alone, 0 for none. So with the nearness, which
    is None where nothing was embedded. `section` is the score of both, `score` that with what the rest of its page
    adds."""

    words: tuple[tuple[str, float], ...]
    by_words: float
    nth_by_words: int
    nearness: float | None = None
    nth_by_nearness: int = 0
    section: float
    score: float


class Explained(Struct, frozen=True):
    """The reasons, in the order of the hits, and `left_out`: how many sections with a word of the question are not for
    whoever asked. That number is for who runs the deployment, and for nobody else."""

    reasons: tuple[Reason, ...]
    left_out: int


NOT_EXPLAINED: Final = Explained((), 0)


def reasons_of(ranked: Sequence[Ranked], said: Iterable[Said], scores: Scores) -> tuple[Reason, ...]:
    """Why these sections were found so."""
    heaviest = sorted((each for each in said if each.word.sections), key=lambda each: -each.word.rarity * each.counts)
    by_words, by_nearness = _places(scores.by_words), _places(scores.near or {})
    return tuple(
        Reason(
            words=_adding(heaviest[:MOST_WORDS], each.section),
            by_words=round(scores.by_words.get(each.section, 0.0), _EXACT),
            nth_by_words=by_words.get(each.section, 0),
            nearness=None if scores.near is None else scores.near.get(each.section),
            nth_by_nearness=by_nearness.get(each.section, 0),
            section=round(scores.both[each.section], _EXACT),
            score=round(each.score, _EXACT),
        )
        for each in ranked
    )


def _adding(said: Iterable[Said], section: int) -> tuple[tuple[str, float], ...]:
    found = []
    for each in said:
        at = bisect_left(each.word.sections, section)
        if at < len(each.word.sections) and each.word.sections[at] == section:
            found.append((each.stem, round(each.word.rarity * each.counts * each.word.weights[at], _EXACT)))
    return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


def _places(scores: Mapping[int, float]) -> dict[int, int]:
    ordered = sorted(scores, key=lambda section: (-scores[section], section))
    return {section: place for place, section in enumerate(ordered, 1)}
