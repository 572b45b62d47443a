"""The names that an organisation knows: which of them stand in a text, however they are written.

A name is found by its last word: the words of a text are compared with all last words at once, and only around one that
is known it is looked for the rest. So a text costs as much with a hundred thousand names as with ten.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from fairlead.policy.name_spelling import WORD, plain, spellings, view, words_of
from fairlead.policy.pseudonyms import PARTS, Entity, style_of

_GAP: Final = re.compile("(?:[\\W_]\u2060*){0,6}")
_FIELDS: Final = re.compile(r'["<>=|\t;:]')
_NEAR: Final = 4  # words between the parts of a name in a record
_MOST_WORDS: Final = 4  # of a forename
_LONGEST: Final = 8  # words of a part of a name

Span = tuple[str, int, int]  # category, start, end


class Name(Struct, frozen=True):
    """One name of a register. Without `given` there are no parts to it: it is what stands there, and nothing less."""

    category: str
    family: str
    given: str = ""


class _Known(Struct, frozen=True):
    category: str
    family: tuple[str, ...]
    given: frozenset[str]


class _Mention(Struct, frozen=True):
    """Where a name stands: one span of all of it, or one for each part."""

    category: str
    family: str
    given: str
    spans: tuple[tuple[int, int], ...]


class Names:
    """All registers of a revision, compiled."""

    def __init__(self, names: Iterable[Name]) -> None:
        given: dict[tuple[str, str], set[str]] = {}
        self.count = 0
        for each in names:
            self.count += 1
            for family in spellings(each.family):
                if family:
                    given.setdefault((each.category, family), set()).update(spellings(each.given))
        last: dict[str, tuple[_Known, ...]] = {}
        for (category, family), those in given.items():
            parts = tuple(family.split())
            last[parts[-1]] = (*last.get(parts[-1], ()), _Known(category, parts, frozenset(those)))
        self._last: Mapping[str, tuple[_Known, ...]] = last
        self._families: dict[tuple[str, tuple[str, ...]], _Family] = {}
        self._ends = frozenset(last) | {f"{each}s" for each in last}  # as they are, and in the genitive
        self.categories = frozenset(category for category, _ in given)

    def may_occur(self, texts: Iterable[str]) -> bool:
        """Whether any last word of a name stands in any of the texts."""
        return any(self._any_in(view(text)) for text in texts)

    def _any_in(self, shown: str) -> bool:
        return not self._ends.isdisjoint(words_of(shown))

    def found(self, texts: Sequence[str]) -> list[list[Span]]:
        """What stands in each text. Parts of a name count wherever all of it stands in any of the texts."""
        views = [view(each) for each in texts]
        read = [_reading(each) if self._any_in(each) else None for each in views]
        mentions = [[] if each is None else list(self._mentions(each)) for each in read]
        parts = _parts_of(one for each in mentions for one in each)
        begun = frozenset(each.partition(" ")[0] for each in parts)
        begun |= {f"{each}s" for each in begun}
        found: list[list[Span]] = []
        for shown, reading, mine in zip(views, read, mentions, strict=True):
            spans = {(one.category, *span) for one in mine for span in one.spans}
            if not begun.isdisjoint(words_of(shown)):
                spans.update(_alone(reading or _reading(shown), parts, begun, mine))
            found.append(sorted(spans))
        return found

    def mentions(self, text: str) -> list[_Mention]:
        """Where names stand in a text, all of each."""
        shown = view(text)
        return list(self._mentions(_reading(shown))) if self._any_in(shown) else []

    def _mentions(self, reading: "Reading") -> Iterator[_Mention]:
        keys, text = self._last, reading.text
        for at, word in enumerate(reading.told):
            known = keys.get(word)
            end = reading.words[at].end()
            if known is None and word[-1:] == "s" and text[end - 1] in "sS":  # in the genitive
                known, end = keys.get(word[:-1]), end - 1
            for each in known or ():
                mention = _whole(self._sorted(each), reading, at, end)
                if mention is not None:
                    yield mention

    def _sorted(self, known: _Known) -> "_Family":
        """One family with its forenames by how they begin: made when it first occurs, as most never do."""
        key = known.category, known.family
        family = self._families.get(key)
        if family is None:
            begins: dict[str, list[str]] = {}
            for given in sorted(known.given):
                for begun in {given.partition(" ")[0], given[:1]} - {given, ""}:
                    begins.setdefault(begun, []).append(given)
            family = self._families[key] = _Family(known.category, known.family, known.given, begins)
        return family


class _Family(Struct, frozen=True):
    category: str
    family: tuple[str, ...]
    given: frozenset[str]
    begins: dict[str, list[str]]


def _reading(shown: str) -> "Reading":
    words = list(WORD.finditer(shown))
    return Reading(shown, words, [plain(each[0]) for each in words])


class Reading(Struct, frozen=True):
    """A text as names are looked for in it: its words, where they stand and plain."""

    text: str
    words: list[re.Match[str]]
    told: list[str]

    def joined(self, first: int, last: int) -> bool:
        """Whether nothing but a little punctuation stands between these words."""
        words = self.words
        return all(_GAP.fullmatch(self.text, words[n].end(), words[n + 1].start()) for n in range(first, last))


def _whole(known: _Family, reading: Reading, at: int, end: int) -> _Mention | None:
    """The name that ends in word `at`, or whose family's name does, if all of it stands there."""
    words, told = reading.words, reading.told
    first = at + 1 - len(known.family)
    if first < 0 or tuple(told[first:at]) != known.family[:-1] or not reading.joined(first, at):
        return _turned(known, reading, at, (words[at].start(), end), known.family[:-1])
    family, start = " ".join(known.family), words[first].start()
    if "" in known.given:
        return _Mention(known.category, family, "", ((start, end),))
    for count in range(min(_MOST_WORDS, first), 0, -1):
        given = _given(known, told[first - count : first])
        if given and reading.joined(first - count, first):
            low, high = words[first - count].start(), words[first - 1].end()
            one = reading.text[high:start] == " "
            return _Mention(known.category, family, given, ((low, end),) if one else ((low, high), (start, end)))
    return _turned(known, reading, at, (start, end)) or _in_fields(known, reading, first, at, (start, end))


def _turned(
    known: _Family, reading: Reading, at: int, family: tuple[int, int], behind: tuple[str, ...] = ()
) -> _Mention | None:
    """The family's name before the forename, with what belongs to it `behind` that, as in a list by names."""
    words, told = reading.words, reading.told
    for count in range(min(_MOST_WORDS, len(told) - at - 1), 0, -1):
        given, last = _given(known, told[at + 1 : at + 1 + count]), at + count + len(behind)
        if given and tuple(told[at + count + 1 : last + 1]) == behind and reading.joined(at, last):
            span = words[at + 1].start(), words[last].end()
            return _Mention(known.category, " ".join(known.family), given, (family, span))
    return None


def _in_fields(known: _Family, reading: Reading, first: int, at: int, family: tuple[int, int]) -> _Mention | None:
    """Forename and family's name in the fields of a record, with the names of the fields between them."""
    words, told = reading.words, reading.told
    for other in (*range(max(first - _NEAR, 0), first), *range(at + 1, min(at + 1 + _NEAR, len(told)))):
        given = _given(known, told[other : other + 1])
        low, high = (family[1], words[other].start()) if other > at else (words[other].end(), family[0])
        if given and len(told[other]) > 1 and _FIELDS.search(reading.text, low, high):
            return _Mention(known.category, " ".join(known.family), given, (family, words[other].span()))
    return None


def _given(known: _Family, told: list[str]) -> str:
    """The forename that these words are, or the first word or letter of."""
    said = " ".join(told)
    if said in known.given:
        return said
    if len(told) > 1:
        return ""
    alike = known.begins.get(said, ())
    return "" if not alike else alike[0] if len(alike) == 1 else said


def _parts_of(mentions: Iterable[_Mention]) -> dict[str, str]:
    """The parts of the names that were mentioned, each with its category."""
    found: dict[str, str] = {}
    for each in mentions:
        if each.given:
            for word in (each.family, each.family.rpartition(" ")[2], each.given, each.given.partition(" ")[0]):
                if len(word) > 1:
                    found.setdefault(word, each.category)
    return found


def _alone(
    reading: Reading, parts: Mapping[str, str], begun: frozenset[str], mentions: list[_Mention]
) -> Iterator[Span]:
    """Parts of names that stand by themselves: written as a name is, so that no common word is taken for one."""
    taken = sorted(span for each in mentions for span in each.spans)
    begins = [start for start, _ in taken]
    text, words, told = reading.text, reading.words, reading.told
    longest = min(max(each.count(" ") for each in parts) + 1, _LONGEST)
    for at, word in enumerate(told):
        if word not in begun or text[words[at].start()].islower():
            continue
        start = words[at].start()
        near = bisect_right(begins, start) - 1
        if near >= 0 and taken[near][1] > start:
            continue
        for count in range(min(longest, len(words) - at), 0, -1):
            said, end = " ".join(told[at : at + count]), words[at + count - 1].end()
            if said not in parts and said[-1:] == "s" and text[end - 1] == "s":
                said, end = said[:-1], end - 1
            if said in parts and (near + 1 >= len(begins) or begins[near + 1] >= end):
                yield parts[said], start, end
                break


class Occurring:
    """Whose names stand in a text: what a part of one belongs to."""

    def __init__(self, names: Names, texts: Sequence[str]) -> None:
        self._names = names
        self._parts: dict[tuple[str, str], set[str]] = {}
        for text in texts:
            for each in names.mentions(text):
                for part, said in _said_of(each) if each.given else ():
                    self._parts.setdefault((part, said), set()).add(f"{each.given} {each.family}")

    def identify(self, category: str, value: str) -> Entity | None:
        """Whose name, or part of a name, a value is."""
        if category not in self._names.categories:
            return None
        shown = view(value)
        style = style_of(shown)
        whole = next((each for each in self._names.mentions(value) if each.given), None)
        if whole is not None:
            return Entity(f"{whole.given} {whole.family}", "", style)
        said = " ".join(words_of(shown))
        for part in PARTS:
            if (those := self._parts.get((part, said))) is not None:
                return Entity(next(iter(those)) if len(those) == 1 else f"{part} {said}", part, style)
        return Entity(said, "", style)


def _said_of(mention: _Mention) -> Iterator[tuple[str, str]]:
    """By what somebody may be meant who was mentioned, each with the word for it."""
    yield "Surname", mention.family
    yield "Surname", mention.family.rpartition(" ")[2]
    yield "Forename", mention.given
    first = mention.given.partition(" ")[0]
    if first != mention.given:
        yield "Firstname", first
    yield "Initial", first[0]
