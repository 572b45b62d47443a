"""Knows a section again after its page was moved, renamed or reformatted, and whether it still says the same.

Pure, deterministic, and about linear in the words of what has changed: each section looks only at those that share
words with it.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from fairlead.context.meaning import words_said
from fairlead.context.sections import PATH

_ALIKE: Final = 0.5  # of the words in threes that both have: enough, wherever on the page it stands
_ALIKE_UNDER_ONE_HEADING: Final = 0.2
_SHINGLE: Final = 3
_COMMON: Final = 40  # sections: what so many share tells nothing about any of them
_SHORT: Final = 8  # words: `To be written` is no sign that a page was moved


class Known(Struct, frozen=True, kw_only=True):
    """A section of an item that was replaced, or is gone, in the order of its page."""

    identity: str
    item: str
    heading: str
    text: str
    meaning: str


class Fresh(Struct, frozen=True, kw_only=True):
    """A section of a version that is new."""

    item: str
    version: str
    ordinal: int
    heading: str
    text: str
    meaning: str


def first_identity(item: str, version: str, ordinal: int) -> str:
    """The identity of a section that nothing before it is like."""
    return hashlib.sha256(f"{item}@{version}#{ordinal}".encode()).hexdigest()[:12]


def align(before: Sequence[Known], after: Sequence[Fresh]) -> list[str]:
    """The identity of each section of `after`: that of the section of `before` which it continues, or a new one.

    What says exactly the same comes first, wherever it stands; then what is alike within one item, or between a new
    page and one that is gone. Each section of `before` is continued once.
    """
    aligning = _Aligning(before, after)
    aligning.exact()
    aligning.near()
    aligning.named()
    return [
        before[known].identity if known is not None else first_identity(each.item, each.version, each.ordinal)
        for each, known in zip(after, aligning.found, strict=True)
    ]


def still_says(meaning: str, page: Iterable[str]) -> bool:
    """Whether all that a section said, as its `meaning` tells, is still said by a page: `page` are the meanings of the
    page's sections in their order. So a section that is only cut or gathered otherwise has not changed."""
    whole = " ".join(page).replace(" .", ".")
    return all(token in whole for token in meaning.split())


class _Aligning:
    """One alignment. `found` holds for each fresh section the number of the known one, None so far."""

    def __init__(self, before: Sequence[Known], after: Sequence[Fresh]) -> None:
        self._before = before
        self._after = after
        self._left = set(range(len(before)))
        self.found: list[int | None] = [None] * len(after)
        new = {each.item for each in after}
        self._gone = {each.item for each in before} - new
        self._moved: Counter[tuple[str, str]] = Counter()  # how many sections went from one item to another

    def _match(self, fresh: int, known: int) -> None:
        self.found[fresh] = known
        self._left.discard(known)
        self._moved[self._before[known].item, self._after[fresh].item] += 1

    def exact(self) -> None:
        """One to one by what they say: within an item, then between items where there is no doubt, then where other
        sections have gone before."""
        known_by: dict[str, list[int]] = defaultdict(list)
        fresh_by: dict[str, list[int]] = defaultdict(list)
        for number, known in enumerate(self._before):
            if known.meaning:
                known_by[known.meaning].append(number)
        for number, fresh in enumerate(self._after):
            if fresh.meaning in known_by:
                fresh_by[fresh.meaning].append(number)
        doubtful = []
        for meaning, fresh_ones in fresh_by.items():
            self._within(known_by[meaning], fresh_ones)
            known_left = [number for number in known_by[meaning] if number in self._left]
            fresh_left = [number for number in fresh_ones if self.found[number] is None]
            if len(known_left) == len(fresh_left) == 1 and self._long(known_left[0]):
                self._match(fresh_left[0], known_left[0])
            elif known_left and fresh_left:
                doubtful.append((known_left, fresh_left))
        for known_left, fresh_left in doubtful:
            self._elsewhere(known_left, fresh_left)

    def _within(self, known_ones: list[int], fresh_ones: list[int]) -> None:
        """Pairs what stands in one item, under its heading if it can, in the order of the page."""
        for key_of_known, key_of_fresh in (
            (lambda k: (k.item, k.heading), lambda f: (f.item, f.heading)),
            (lambda k: k.item, lambda f: f.item),
        ):
            waiting: dict[object, list[int]] = defaultdict(list)
            for number in reversed(known_ones):
                if number in self._left:
                    waiting[key_of_known(self._before[number])].append(number)
            for number in fresh_ones:
                if self.found[number] is None and (same := waiting[key_of_fresh(self._after[number])]):
                    self._match(number, same.pop())

    def _long(self, known: int) -> bool:
        return len(self._before[known].text.split()) >= _SHORT or self._before[known].item in self._gone

    def _elsewhere(self, known_ones: list[int], fresh_ones: list[int]) -> None:
        """Pairs what several pages say in the same words by where the rest of each page went."""
        known_by_item: dict[str, list[int]] = defaultdict(list)
        for number in reversed(known_ones):
            known_by_item[self._before[number].item].append(number)
        to: dict[str, list[str]] = defaultdict(list)
        for (old, new), _ in sorted(self._moved.items(), key=lambda pair: (-pair[1], pair[0])):
            if old != new and old in known_by_item:
                to[new].append(old)
        for number in fresh_ones:
            for old in to.get(self._after[number].item, ()):
                if known_by_item[old]:
                    self._match(number, known_by_item[old].pop())
                    break
        waiting = [number for number in known_ones if number in self._left and self._before[number].item in self._gone]
        for number in fresh_ones:
            if self.found[number] is None and waiting:
                self._match(number, waiting.pop(0))

    def near(self) -> None:
        """The most alike first."""
        left = sorted(self._left)
        known_words = {number: _shingles(self._before[number]) for number in left}
        holders: dict[int, list[int]] = defaultdict(list)
        for number in left:
            for shingle in known_words[number]:
                holders[shingle].append(number)
        pairs = []
        for fresh, known in enumerate(self.found):
            if known is None:
                pairs += self._alike(fresh, known_words, holders)
        pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
        for _, fresh, known in pairs:
            if self.found[fresh] is None and known in self._left:
                self._match(fresh, known)

    def _alike(
        self, fresh: int, known_words: dict[int, frozenset[int]], holders: dict[int, list[int]]
    ) -> list[tuple[float, int, int]]:
        words = _shingles(self._after[fresh])
        shared: Counter[int] = Counter()
        for shingle in words:
            having = holders.get(shingle, ())
            if len(having) <= _COMMON:
                shared.update(having)
        item, heading = self._after[fresh].item, _own(self._after[fresh].heading)
        pairs = []
        for known, count in shared.items():
            other = self._before[known]
            if other.item != item and other.item not in self._gone:
                continue
            alike = count / max(1, min(len(words), len(known_words[known])))
            alike = (alike + 2 * count / (len(words) + len(known_words[known]))) / 2
            headed = _own(other.heading) == heading
            if alike >= (_ALIKE_UNDER_ONE_HEADING if headed else _ALIKE):
                pairs.append((alike + 0.2 * headed + 0.2 * (other.item == item), fresh, known))
        return pairs

    def named(self) -> None:
        """What was written anew under the heading that it had: on its page, or on the page that most of it moved to."""
        came_from: dict[str, str] = {}
        for (old, new), _ in sorted(self._moved.items(), key=lambda pair: (-pair[1], pair[0])):
            if old in self._gone:
                came_from.setdefault(new, old)
        waiting: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number in sorted(self._left, reverse=True):
            waiting[self._before[number].item, _own(self._before[number].heading)].append(number)
        for number, each in enumerate(self._after):
            if self.found[number] is not None or not each.heading:
                continue
            for item in (each.item, came_from.get(each.item)):
                if item is not None and (same := waiting.get((item, _own(each.heading)))):
                    self._match(number, same.pop())
                    break


def _own(heading: str) -> str:
    """A section's own heading, without those above it."""
    return heading.rpartition(PATH)[2].casefold()


def _shingles(section: Known | Fresh) -> frozenset[int]:
    """The words of a section in overlapping threes, as numbers that are the same in every process."""
    words = words_said(f"{section.heading.rpartition(PATH)[2]}\n\n{section.text}")
    threes = (" ".join(words[at : at + _SHINGLE]) for at in range(max(1, len(words) - _SHINGLE + 1)))
    return frozenset(int.from_bytes(hashlib.blake2b(three.encode(), digest_size=6).digest()) for three in threes)
