"""Which sections answer a question best: BM25 over what the caller may read, and over nothing else.

Every statistic is counted over the visible sections of one snapshot. So a hidden page leaves no trace in what is found,
not even in the order; and the same question under the same rights finds the same today and in a year. Pure arithmetic:
the occurrences come from the index, the rights from the policy.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

from msgspec import Struct

# Chosen on half of the handbook's link queries, checked on the other half.
_FIELD_WEIGHTS = {"title": 8.0, "heading": 3.0, "body": 1.0}
_SATURATION = 2.4  # BM25's k1
_LENGTH = 0.6  # BM25's b
_USUAL_LENGTH = 800.0  # characters; fixed, so that a section's weight depends on nothing but itself
_SUPPORT = 0.3  # what a page's further sections add to its best one, halved from one to the next
_SUPPORTERS = 7
_FLOOR = 0.4  # of the best section's score: what is below shares a common word or two with the question
MOST_WORDS = 16


class Postings(Struct, frozen=True):
    """Where one word occurs in a snapshot: numbers of sections, growing, and how much it says about each."""

    sections: "array[int]"
    weights: "array[float]"


class Ranked(Struct, frozen=True):
    """A section that was found. `score` compares within one search only."""

    section: int
    score: float


class Visible(Struct, frozen=True):
    """The sections that a caller may read: one byte for each of the snapshot, and how many there are."""

    mask: bytes
    count: int


def visible_of(access_of: Sequence[int], allowed: frozenset[int]) -> Visible:
    """`access_of` gives each section's access by number, `allowed` the numbers that the policy permits."""
    mask = bytes(number in allowed for number in access_of)
    return Visible(mask, sum(mask))


def postings_of(occurrences: Iterable[tuple[int, str]], lengths: Sequence[int]) -> Postings:
    """From (section, field) of each occurrence. `lengths` are the sections' characters."""
    counted: dict[int, float] = {}
    for section, field in occurrences:
        counted[section] = counted.get(section, 0.0) + _FIELD_WEIGHTS[field]
    found = sorted(counted.items())
    return Postings(
        array("I", (section for section, _ in found)),
        array("f", (_saturated(count, lengths[section]) for section, count in found)),
    )


def _saturated(count: float, length: int) -> float:
    return count / (count + _SATURATION * (1 - _LENGTH + _LENGTH * length / _USUAL_LENGTH))


def rank(
    words: Iterable[Postings], visible: Visible, item_of: Sequence[int], *, most: int, per_item: int
) -> list[Ranked]:
    """The best visible sections, at most `per_item` of one item. `item_of` gives each section's item by number.

    An item counts by its best section and a little by its next ones; a section counts as its item does, less what it
    lacks of the item's best. Equal scores keep the order of the sections.
    """
    scores = _scores(words, visible)
    floor = max(scores.values(), default=0.0) * _FLOOR
    by_item: dict[int, list[tuple[float, int]]] = {}
    for section, score in scores.items():
        if score >= floor:
            by_item.setdefault(item_of[section], []).append((-score, section))
    ranked = [found for sections in by_item.values() for found in _of_item(sections, per_item)]
    ranked.sort(key=lambda found: (-found.score, found.section))
    return ranked[:most]


def _of_item(sections: list[tuple[float, int]], per_item: int) -> Iterator[Ranked]:
    sections.sort()
    best = -sections[0][0]
    support = sum(-score * 0.5**place for place, (score, _) in enumerate(sections[1 : 1 + _SUPPORTERS]))
    total = best + _SUPPORT * support
    for score, section in sections[:per_item]:
        yield Ranked(section, total * -score / best)


def _scores(words: Iterable[Postings], visible: Visible) -> Mapping[int, float]:
    scores: dict[int, float] = {}
    score_of = scores.get
    for rarity, sections, weights in _rarest(words, visible):
        for section, weight in zip(sections, weights, strict=True):
            scores[section] = score_of(section, 0.0) + rarity * weight
    return scores


def _rarest(words: Iterable[Postings], visible: Visible) -> list[tuple[float, Sequence[int], Sequence[float]]]:
    """The rarest words with their visible postings. A long question is told by these; the rest costs time."""
    seen: list[tuple[float, Sequence[int], Sequence[float]]] = []
    for word in words:
        sections: Sequence[int] = word.sections
        weights: Sequence[float] = word.weights
        if visible.count < len(visible.mask):
            keep = [visible.mask[section] for section in sections]
            sections, weights = list(compress(sections, keep)), list(compress(weights, keep))
        if sections:
            rarity = math.log(1 + visible.count / (len(sections) + 0.5))  # never near 0: small workspaces share words
            seen.append((rarity, sections, weights))
    seen.sort(key=lambda word: -word[0])
    return seen[:MOST_WORDS]
