"""What has become of passages that were cited: whether they still stand in a later snapshot, word for word. Pure.

Only words count, and marks that change what they say (`€`, `%`, `<`, struck-through text). Wrapping, emphasis, list
marks, link targets, headings and the place where a passage stands do not: a passage that was moved, renamed or marked
anew still stands. Nor does it matter how a page is cut into sections: a passage stands where its words stand in one
run, unless new words were put next to them under the same heading, for those may say that it is otherwise now.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.sections import PATH

State = Literal["stands", "moved", "changed", "gone"]
_FEW: Final = 6  # words: found elsewhere, so few say nothing of where a passage went

_TAG: Final = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)
_LINK: Final = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((?:[^()]|\([^()]*\))*\)")
_NAMED_LINK: Final = re.compile(r"!?\[([^\[\]]+)\]\[[^\[\]]*\]")
_TARGET: Final = re.compile(r"^ {0,3}\[[^\]]+\]:[^\n]*$", re.MULTILINE)
_MARK: Final = re.compile(r"^[ \t>]*(?:[-*+][ \t]+|[0-9]{1,9}[.)][ \t]+)*", re.MULTILINE)
_HEADING: Final = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)")
_WORD: Final = re.compile(r"\w+(?:[.,:/@']\w+)*|(?<!\S)-(?=[0-9])|~~|[$\u20ac\u00a3%<>=\u2264\u2265\u2260+]")
_ALIKE: Final = str.maketrans({"\u2019": "'", "\u2212": "-", "\\": None})
_BESIDE: Final = 3  # words beside a block that tell whether it has grown


class Cited(Struct, frozen=True, kw_only=True):
    """A section as it is stored. `heading` is its path of headings, `ordinal` its place on the page."""

    item: str
    version: str
    ordinal: int
    heading: str
    text: str
    identity: str = ""


class Fate(Struct, frozen=True, kw_only=True):
    """What became of a passage. `item` and `version` say where it stands, or stood last; "" where it is gone."""

    state: State
    item: str = ""
    version: str = ""

    @property
    def stale(self) -> bool:
        return self.state in ("changed", "gone")


def words_of(text: str) -> list[str]:
    """What a text says, without how it is marked up."""
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "[" in text:
        text = _NAMED_LINK.sub(r"\1", _LINK.sub(r"\1", _TARGET.sub("", text)))
    if "&" in text:
        text = html.unescape(text)
    plain = _MARK.sub("", text).translate(_ALIKE).lower()
    return [bare for word in _WORD.findall(plain) if (bare := word.strip("_"))]


class _Block(Struct):
    """A run of words under one heading, as " one two ". `opens` and `closes`: a heading, or the page's end, stands
    there; else the text was cut. `before` and `after` are the words beside it on its page."""

    words: str
    opens: bool
    closes: bool
    before: str = ""
    after: str = ""


class _Reader:
    """Cuts the sections of one page, in order, into blocks. Code that is cut in two is remembered."""

    def __init__(self) -> None:
        self._fence = ""

    def blocks(self, section: Cited, opens: bool, closes: bool) -> list[_Block]:
        texts = [" ".join(words) for lines in self._parts(section.text) if (words := words_of("\n".join(lines)))]
        found = [_Block(f" {text} ", True, True) for text in texts]
        if found:
            found[0].opens, found[-1].closes = opens, closes
        return found

    def _parts(self, text: str) -> Iterator[list[str]]:
        lines: list[str] = []
        for line in text.split("\n"):
            mark = line.strip()[:3]
            if self._fence:
                self._fence = "" if mark == self._fence else self._fence
            elif mark in ("```", "~~~"):
                self._fence = mark
            elif _HEADING.match(line):
                yield lines
                lines = []
                continue
            lines.append(line)
        yield lines


def _read(page: Sequence[Cited]) -> list[list[_Block]]:
    """The blocks of each section of a page."""
    reader = _Reader()
    ends = [True, *(_ends(section, after) for section, after in pairwise(page)), True]
    found = [reader.blocks(section, ends[at], ends[at + 1]) for at, section in enumerate(page)]
    every = [block for blocks in found for block in blocks]
    for block, after in pairwise(every):
        block.after = " ".join(after.words.split(" ", _BESIDE + 1)[1 : _BESIDE + 1])
        after.before = " ".join(block.words.rsplit(" ", _BESIDE + 1)[1:]).strip()
    return found


def _ends(section: Cited, after: Cited) -> bool:
    """Whether a heading stands between two sections: else the second goes on under the last heading of the first."""
    if _HEADING.match(after.text):
        return True
    headings = [line for line in section.text.split("\n") if _HEADING.match(line)]
    last = headings[-1].strip(" #") if headings else section.heading.rpartition(PATH)[2]
    return words_of(last) != words_of(after.heading.rpartition(PATH)[2])


class _Page:
    """All words of a page in one run, and where in it a heading stands."""

    def __init__(self, sections: Sequence[Cited]) -> None:
        parts, at, ends = list[str](), 0, {0}
        for block in (block for blocks in _read(sections) for block in blocks):
            parts.append(block.words[:-1])
            ends.update([at] if block.opens else [])
            at += len(block.words) - 1
            ends.update([at] if block.closes else [])
        self.version = sections[0].version
        self._words, self._ends = "".join(parts) + " ", frozenset(ends)

    def holds(self, blocks: Sequence[_Block]) -> bool:
        """Whether these stand here in this order, each unbroken, with nothing new under its heading beside it."""
        at = 0
        for block in blocks:
            at = self._find(block, at)
            if at < 0:
                return False
        return True

    def _find(self, block: _Block, start: int) -> int:
        """Where a block ends; -1 where it does not stand at `start` or behind."""
        while (start := self._words.find(block.words, start)) >= 0:
            end = start + len(block.words) - 1
            begins = not block.opens or start in self._ends or self._words[:start].endswith(f" {block.before}")
            if begins and (not block.closes or end in self._ends or self._words.startswith(f" {block.after} ", end)):
                return end
            start += 1
        return -1


class Later:
    """A later snapshot, or as much of it as is new since: its pages in runs of words."""

    def __init__(self, sections: Iterable[Cited]) -> None:
        """`sections` come in the order of their items and places."""
        self._pages: dict[str, _Page] = {}
        self._homes: dict[str, str] = {}
        for item, group in groupby(sections, key=lambda section: section.item):
            page = list(group)
            self._pages[item] = _Page(page)
            self._homes.update((section.identity, item) for section in page if section.identity)

    def fates(self, page: Sequence[Cited]) -> list[Fate]:
        """What became of each section of one page, as it was in the earlier snapshot, in order."""
        if page and page[0].item in self._pages and self._pages[page[0].item].version == page[0].version:
            return [Fate(state="stands", item=page[0].item, version=page[0].version)] * len(page)
        return [self._fate(section, blocks) for section, blocks in zip(page, _read(page), strict=True)]

    def _fate(self, section: Cited, blocks: list[_Block]) -> Fate:
        home = self._homes.get(section.identity, "")
        near = [name for name in dict.fromkeys((section.item, home)) if name in self._pages]
        far = [name for name in self._pages if name not in near] if _says_enough(blocks) else []
        for name in (*near, *far):
            if self._pages[name].holds(blocks):
                return self._found("stands" if name == section.item else "moved", name)
        last = home or (section.item if section.item in self._pages else "")
        return self._found("changed", last) if last else Fate(state="gone")

    def _found(self, state: State, item: str) -> Fate:
        return Fate(state=state, item=item, version=self._pages[item].version)


def _says_enough(blocks: Iterable[_Block]) -> bool:
    return sum(block.words.count(" ") - 1 for block in blocks) >= _FEW
