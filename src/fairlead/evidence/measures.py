"""What can be measured of a question and of passages that may answer it. The names are the keys of `weights.json`."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from fairlead.evidence.asked import NEGATION, Asked, fitting
from fairlead.evidence.sentences import Sentence
from fairlead.evidence.synonyms import OPPOSITES
from fairlead.models.words import stem_of, words

_CLAUSE: Final = re.compile(
    r",|;|:| [–—] |\(|\)|\b(?:and|but|which|who|that|while|although|because|where|when)\b", re.IGNORECASE
)
_AROUND: Final = 60  # characters on either side of what could be the answer
_MOST_FITTING: Final = 12
_EXTREMES: Final = frozenset(
    stem_of(word) or word
    for word in """
    first last most least best worst largest smallest only earliest latest original current main primary highest lowest
    oldest youngest greatest before after prior until since during
    """.split()  # noqa: SIM905 a paragraph of words reads better than a list of strings
)


def question_measures(asked: Asked, sentences: Sequence[Sentence], best: int) -> dict[str, float]:
    """Of a question. `best` is the sentence that holds most of it."""
    said = [each.said for each in sentences]
    everything = frozenset[str]().union(*said)
    shares = sorted((asked.share(each) for each in said), reverse=True)
    top = sentences[best]
    pairs = [asked.share(one | other) for one, other in pairwise(said)]
    whole = asked.share(everything)
    return {
        "best": shares[0],
        "lead": shares[0] - (shares[1] if len(shares) > 1 else 0.0),
        "two": max([*pairs, shares[0]]),
        "whole": whole,
        "scattered": whole - shares[0],
        "read": math.log(sum(len(each.words) for each in sentences) + 1),
        **_missing(asked, top, everything),
        **_turned(asked, top, everything),
        **_order(asked, top),
        **_near(asked, sentences, best),
    }


def _missing(asked: Asked, top: Sentence, everything: frozenset[str]) -> dict[str, float]:
    here = [weight * (1 - asked.hold(word, top.said)) for word, weight in asked.weights.items()] or [0.0]
    there = [weight * (1 - asked.hold(word, everything)) for word, weight in asked.weights.items()] or [0.0]
    folded = top.folded
    return {
        "missing_most": max(here),
        "missing_sum": sum(here),
        "absent_most": max(there),
        "absent_count": float(sum(each > 0.5 for each in there)),
        "missing_count": float(sum(each > 0.5 for each in here)),
        "names_missing": float(sum(not asked.hold(name, top.said) for name in asked.names)),
        "names_absent": float(sum(not asked.hold(name, everything) for name in asked.names)),
        "numbers_missing": float(sum(number not in top.words for number in asked.numbers)),
        "extremes_missing": float(sum(word in _EXTREMES and word not in folded for word in asked.sentence.folded)),
    }


def _turned(asked: Asked, top: Sentence, everything: frozenset[str]) -> dict[str, float]:
    denied, denies = bool(NEGATION.search(asked.sentence.text)), bool(NEGATION.search(top.text))
    mine, folded = asked.sentence.folded, top.folded
    opposed = [word for word in mine if word in OPPOSITES and word not in folded]
    return {
        "denied": float(denied),
        "denial_differs": float(denied != denies),
        "denies": float(denies),
        "opposite_here": float(sum(not OPPOSITES[word].isdisjoint(folded) for word in opposed)),
        "opposite_there": float(
            sum(word not in everything and not OPPOSITES[word].isdisjoint(everything) for word in opposed)
        ),
        **_swapped(asked, top),
    }


def _swapped(asked: Asked, top: Sentence) -> dict[str, float]:
    """A word that stands beside the same word as in the question, where the question has another one."""
    before: dict[str, set[str]] = {}
    after: dict[str, set[str]] = {}
    for one, other in pairwise(top.stems):
        before.setdefault(other, set()).add(one)
        after.setdefault(one, set()).add(other)
    mine, swapped_before, swapped_after = asked.sentence.said | {""}, 0, 0
    for one, other in pairwise(asked.sentence.stems):
        if one and other and one not in top.said and other in top.said:
            swapped_before += bool(before.get(other, set()) - mine)
        if one and other and one in top.said and other not in top.said:
            swapped_after += bool(after.get(one, set()) - mine)
    return {"swapped_before": float(swapped_before), "swapped_after": float(swapped_after)}


def _order(asked: Asked, top: Sentence) -> dict[str, float]:
    """Whether the words stand as they do in the question: runs of words, and how near each other."""
    mine = asked.sentence.words
    two, three = _runs(mine, 2), _runs(mine, 3)
    places = [place for place, stem in enumerate(top.stems) if stem in asked.weights]
    span = (places[-1] - places[0] + 1) / len(places) if places else 10.0
    first: dict[str, int] = {}
    for place, stem in enumerate(top.stems):
        first.setdefault(stem, place)
    order = [first[stem] for stem in asked.sentence.stems if stem and stem in first]
    turned = sum(a > b for a, b in pairwise(order)) / max(1, len(order) - 1)
    return {
        "runs_of_two": len(two & _runs(top.words, 2)) / max(1, len(two)),
        "runs_of_three": len(three & _runs(top.words, 3)) / max(1, len(three)),
        "spread": min(span, 10.0),
        "turned": turned,
    }


def _runs(of: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return set(zip(*(of[start:] for start in range(length)), strict=False))


def _near(asked: Asked, sentences: Sequence[Sentence], best: int) -> dict[str, float]:
    """Whether something that could answer stands near what is asked."""
    top = sentences[best]
    clause = max((asked.share(_said(each)) for each in _CLAUSE.split(top.text)), default=0.0)
    if asked.wanted == "other":
        return {"clause": clause, "near": asked.share(top.said), "fits": 1.0, "fits_elsewhere": 0.0}
    found = fitting(asked.wanted, top.text, asked.lowered)
    near = [top.text[max(0, place - _AROUND) : place + _AROUND] for place in found[:_MOST_FITTING]]
    typed = max(
        (asked.share(each.said) for each in sentences if fitting(asked.wanted, each.text, asked.lowered)), default=0.0
    )
    return {
        "clause": clause,
        "near": max((asked.share(_said(each)) for each in near), default=0.0),
        "fits": float(bool(found)),
        "fits_elsewhere": asked.share(top.said) - typed,
    }


def _said(text: str) -> frozenset[str]:
    return frozenset(map(stem_of, words(text)))


def statement_measures(asked: Asked, sentences: Sequence[Sentence]) -> dict[str, float]:
    """Of a statement that may or may not be spoken of somewhere in long texts."""
    said = [each.said for each in sentences]
    shares = sorted((asked.share(each) for each in said), reverse=True)
    everything = frozenset[str]().union(*said)
    pairs = (asked.share(one | other) for one, other in pairwise(said))
    absent = [weight for word, weight in asked.weights.items() if not asked.hold(word, everything)]
    rare = sorted(asked.weights, key=lambda word: -asked.weights[word])[:3]
    weight = sum(asked.weights[word] for word in rare) or 1.0
    rarest = max((sum(asked.weights[word] * asked.hold(word, each) for word in rare) for each in said), default=0.0)
    return {
        "best": shares[0],
        "two": max(pairs, default=shares[0]),
        "top": sum(shares[:5]) / len(shares[:5]),
        "mean": sum(shares) / len(shares),
        "absent": sum(absent) / asked.whole,
        "absent_count": float(len(absent)),
        "rarest": rarest / weight,
        "read": math.log(len(sentences)),
    }
