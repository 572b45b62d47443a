"""Which sections answer a question best: BM25 over what the caller may read, and over nothing else.

Every statistic is counted over the visible sections of one snapshot. So a hidden page leaves no trace in what is found,
not even in the order; and the same question under the same rights finds the same today and in a year. Pure arithmetic:
the occurrences come from the index, the rights from the policy.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

from msgspec import Struct

# Chosen on one half of the evals' questions (their `--half chosen`), checked on the other.
_SATURATION = 1.2  # BM25's k1, of the words of the text
_LENGTH = 0.6  # BM25's b
_USUAL_LENGTH = 800.0  # characters; fixed, so that a section's weight depends on nothing but itself
# What a word adds that stands there, however often; in the text it adds less than 1.
_NAMED = {"title": 0.6, "heading": 0.5}
_RARITY = 1.2  # how much more a rare word says than a common one
_SUPPORT = 0.2  # what a page's further sections add to its best one, halved from one to the next
_SUPPORTERS = 7
_FLOOR = 0.2  # of the best section's score: what is below shares a common word or two with the question
_CANDIDATES = 300  # sections that are looked at as parts of their items
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


class Word(Struct, frozen=True):
    """Where a word stands among the sections that a caller may read, and how rare it is there. `rarity` counts more
    words of a question than of another: it is also the order in which they are taken."""

    rarity: float
    sections: Sequence[int]
    weights: Sequence[float]


def visible_of(access_of: Sequence[int], allowed: frozenset[int]) -> Visible:
    """`access_of` gives each section's access by number, `allowed` the numbers that the policy permits."""
    permitted = bytes(number in allowed for number in range(max(access_of, default=-1) + 1))
    mask = bytes(map(permitted.__getitem__, access_of))
    return Visible(mask, sum(mask))


def postings_of(occurrences: Iterable[tuple[int, str]], lengths: Sequence[int]) -> Postings:
    """From (section, field) of each occurrence. `lengths` are the sections' characters."""
    said: Counter[int] = Counter()
    named: dict[tuple[int, str], float] = {}
    for section, field in occurrences:
        if field in _NAMED:
            named[section, field] = _NAMED[field]
        else:
            said[section] += 1
    extra: dict[int, float] = {}
    for (section, _), weight in named.items():
        extra[section] = extra.get(section, 0.0) + weight
    found = sorted(said.keys() | extra.keys())
    weights = (_saturated(said[section], lengths[section]) + extra.get(section, 0.0) for section in found)
    return Postings(array("I", found), array("f", weights))


def _saturated(count: int, length: int) -> float:
    return count / (count + _SATURATION * (1 - _LENGTH + _LENGTH * length / _USUAL_LENGTH))


def word_of(postings: Postings, visible: Visible) -> Word:
    """What is visible of a word. Costs as much as there is of it in the snapshot; what comes after costs as much as is
    visible, so this is worth keeping for those who have the same rights."""
    sections: Sequence[int] = postings.sections
    weights: Sequence[float] = postings.weights
    if visible.count < len(visible.mask):
        keep = bytes(map(visible.mask.__getitem__, sections))
        sections, weights = array("I", compress(sections, keep)), array("f", compress(weights, keep))
    # Never near 0: small workspaces share words.
    return Word(math.log(1 + visible.count / (len(sections) + 0.5)) ** _RARITY, sections, weights)


def scores_of(words: Iterable[tuple[Word, float]]) -> dict[int, float]:
    """The score of each visible section that any of the words stands in. The number beside a word is what it counts in
    this question, 1 for what was asked. A long question is told by its rarest words; the rest costs time."""
    counted = [(word.rarity * counts, word) for word, counts in words if word.sections]
    counted.sort(key=lambda each: -each[0])
    scores: dict[int, float] = {}
    score_of = scores.get
    for counts, word in counted[:MOST_WORDS]:
        for section, weight in zip(word.sections, word.weights, strict=True):
            scores[section] = score_of(section, 0.0) + counts * weight
    return scores


def rank(scores: Mapping[int, float], item_of: Sequence[int], *, most: int, per_item: int) -> list[Ranked]:
    """The best sections, at most `per_item` of one item. `item_of` gives each section's item by number.

    An item counts by its best section and a little by its next ones; a section counts as its item does, less what it
    lacks of the item's best. Equal scores keep the order of the sections.
    """
    floor = max(scores.values(), default=0.0) * _FLOOR
    if len(scores) > _CANDIDATES:
        floor = max(floor, sorted(scores.values())[-_CANDIDATES])
    by_item: dict[int, list[tuple[float, int]]] = {}
    for section, score in scores.items():
        if score >= floor:
            found = by_item.get(item_of[section])
            if found is None:
                by_item[item_of[section]] = [(-score, section)]
            else:
                found.append((-score, section))
    items = [(-_total(sections), sections[0][1], sections) for sections in by_item.values()]
    items.sort()
    # No section counts more than its item: those of the best items are enough.
    ranked = [ranked for total, _, sections in items[:most] for ranked in _of_item(-total, sections[:per_item])]
    ranked.sort(key=lambda each: (-each.score, each.section))
    return ranked[:most]


def _total(sections: list[tuple[float, int]]) -> float:
    """What an item counts. Puts its sections in order, the best first."""
    if len(sections) == 1:
        return -sections[0][0]
    sections.sort()
    support = sum(-score * 0.5**place for place, (score, _) in enumerate(sections[1 : 1 + _SUPPORTERS]))
    return -sections[0][0] + _SUPPORT * support


def _of_item(total: float, sections: list[tuple[float, int]]) -> Iterator[Ranked]:
    best = sections[0][0]
    for score, section in sections:
        yield Ranked(section, total * score / best)
