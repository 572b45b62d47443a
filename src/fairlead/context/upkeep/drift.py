"""What has become of passages that were cited: whether they still stand in a later snapshot, word for word. Pure.

Only words count, and marks that change what they say (`€`, `%`, `<`, struck-through text). Wrapping, emphasis, list
marks, link targets, headings and the place where a passage stands do not: a passage that was moved, renamed or marked
anew still stands. Nor does it matter how a page is cut into sections: a passage stands where its words stand in one
run, unless new words were put next to them under the same heading, for those may say that it is otherwise now.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.meaning import words_said
from fairlead.context.sections import under_headings

State = Literal["stands", "moved", "changed", "gone"]
_FEW: Final = 24  # letters: found elsewhere, so few say nothing of where a passage went

_HEADING: Final = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)")
_HALF_TAG: Final = re.compile(r"\A[^<>]{0,2000}=\"[^<>]{0,2000}>|<[A-Za-z][^<>]{0,2000}\Z")  # where a text was cut
_BESIDE: Final = 3  # words beside a block that tell whether it has grown


class Cited(Struct, frozen=True):
    """A section as it is stored."""

    text: str
    identity: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """A version of an item, with its sections in order."""

    item: str
    version: str
    text: str
    sections: tuple[Cited, ...]


class Fate(Struct, frozen=True, kw_only=True):
    """What became of a passage. `item` and `version` say where it stands, or stood last; "" where it is gone."""

    state: State
    item: str = ""
    version: str = ""

    @property
    def stale(self) -> bool:
        """Whether an answer that cited it can no longer be borne out by it."""
        return self.state in ("changed", "gone")


class _Block(Struct):
    """A run of words, as " one two ". `opens` and `closes`: on its page a heading stands there, or the page ends; else
    its text goes on. `before` and `after` are the words beside it."""

    words: str
    opens: bool = False
    closes: bool = False
    before: str = ""
    after: str = ""


class _Run:
    """All words of a page in one run, and where in it a heading stands."""

    def __init__(self, text: str) -> None:
        parts, at, ends = list[str](), 0, {0}
        for part in under_headings(text):
            if words := " ".join(words_said(part)):
                parts.append(words)
                at += len(words) + 1
                ends.add(at)
        self._words, self._ends, self.length = " " + " ".join(parts) + " ", frozenset(ends), at

    def stands(self, words: str, least: int) -> tuple[int, int] | None:
        """From where to where these words stand here, behind `least` if they do."""
        start = self._words.find(words, least)
        if start < 0:
            start = self._words.find(words)
        return (start, start + len(words) - 1) if start >= 0 else None

    def block(self, start: int, end: int) -> _Block:
        """What stands from one blank to another."""
        before = " ".join(self._words[max(0, start - 200) : start].rsplit(" ", _BESIDE)[-_BESIDE:]).strip()
        after = " ".join(self._words[end + 1 : end + 200].split(" ", _BESIDE)[:_BESIDE]).strip()
        return _Block(self._words[start : end + 1], start in self._ends, end in self._ends, before, after)

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


def _blocks(page: Page) -> Iterator[list[_Block]]:
    """The blocks of each section: what stands between the headings that its text holds.

    Where a text was cut within a mark or a tag, its words are not those of the page. It is then taken to be what the
    page has between the blocks before and behind it."""
    run, at, fence, headings = _Run(page.text), 0, "", _headings(page.text)
    places = list[list[tuple[int, int] | None]]()
    for section in page.sections:
        parts, fence = _parts(_unheaded(section.text, headings), fence)
        places.append([])
        for part in parts:
            if words := words_said(part):
                place = run.stands(f" {' '.join(words)} ", at)
                at = max(at, place[1] if place else 0)
                places[-1].append(place)
    flat = [place for found in places for place in found]
    spans = iter([place or _between(flat, number, run.length) for number, place in enumerate(flat)])
    for found in places:
        yield [run.block(*span) for span in (next(spans) for _ in found) if span[0] < span[1]]


def _between(places: Sequence[tuple[int, int] | None], number: int, length: int) -> tuple[int, int]:
    """What is left between the places before and behind one that is not known."""
    before = next((place[1] for place in reversed(places[:number]) if place), 0)
    behind = next((place[0] for place in places[number:] if place and place[0] >= before), length)
    return before, behind


def _headings(text: str) -> frozenset[str]:
    """The words of a page's headings."""
    lines = text.split("\n")
    found = {line for line in lines if _HEADING.match(line)}
    found |= {line for line, below in pairwise(lines) if below[:2] in ("==", "--")}
    return frozenset(" ".join(words_said(line.strip().strip("#"))) for line in found)


def _unheaded(text: str, headings: frozenset[str]) -> str:
    """A section's text without the headings at its beginning: where small sections were joined, they stand there as
    plain lines."""
    lines = _HALF_TAG.sub("", text).split("\n")
    while lines and lines[0][:1].isalnum() and " ".join(words_said(lines[0])) in headings:
        del lines[0]
    return "\n".join(lines)


def _parts(text: str, fence: str) -> tuple[list[str], str]:
    """A section's text between its headings. `fence` opened code that goes on here; the one left open is returned."""
    parts: list[list[str]] = [[]]
    for line in text.split("\n"):
        mark = line.strip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            fence = mark
        elif _HEADING.match(line):
            parts.append([])
            continue
        parts[-1].append(line)
    return ["\n".join(lines) for lines in parts], fence


class Later:
    """A later snapshot, or as much of it as is new since."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._runs: dict[str, _Run] = {}
        self._versions: dict[str, str] = {}
        self._homes: dict[str, str] = {}
        for page in pages:
            self._runs[page.item] = _Run(page.text)
            self._versions[page.item] = page.version
            self._homes.update((section.identity, page.item) for section in page.sections if section.identity)

    def fates(self, page: Page) -> list[Fate]:
        """What became of each section of a page of the earlier snapshot, in order."""
        if self._versions.get(page.item) == page.version:
            return [Fate(state="stands", item=page.item, version=page.version)] * len(page.sections)
        homes = [self._homes.get(section.identity, "") for section in page.sections]
        return [self._fate(page.item, [own, *homes], blocks) for own, blocks in zip(homes, _blocks(page), strict=True)]

    def _fate(self, item: str, homes: Sequence[str], blocks: list[_Block]) -> Fate:
        """`homes`: where the section went, as its identity tells, and where the others of its page did."""
        home = homes[0]
        if not blocks:  # what says nothing cannot come to say something else
            return Fate(state="stands", item=item)
        near = [name for name in dict.fromkeys((item, *homes)) if name in self._runs]
        far = [name for name in self._runs if name not in near] if _says_enough(blocks) else []
        for name in (*near, *far):
            if self._runs[name].holds(blocks):
                return self._found("stands" if name == item else "moved", name)
        last = home or (item if item in self._runs else "")
        return self._found("changed", last) if last else Fate(state="gone")

    def _found(self, state: State, item: str) -> Fate:
        return Fate(state=state, item=item, version=self._versions[item])


def _says_enough(blocks: Iterable[_Block]) -> bool:
    return sum(len(block.words) - 1 for block in blocks) >= _FEW
