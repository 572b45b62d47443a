"""What truly became of a passage of a handbook: a second reading of the pages, which shares no code with Fairlead's.

It reads raw pages, not stored sections, and compares sentences. The rule, which was settled by looking at cases:
a section still means what it meant if, on one page of the later date, the sentences of each of its headings stand in
their order without a gap, and no sentence was added to them under the same heading. What headings are called and how
deep they are, which page it is, how lines are wrapped, how lists and emphasis are marked and where links lead does not
count. A section that the length of a text cut off in the middle of a heading's text may have anything beside it there.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_COMMENT = re.compile(r"<!--.*?-->", re.S)
_ELEMENT = re.compile(r"</?[a-z][a-z0-9-]*(?:\s[^<>]*)?/?>", re.I)
_IMAGE_OR_LINK = re.compile(r"!?\[((?:[^][]|\[[^][]*\])*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^][]*\])")
_DEFINED = re.compile(r"\s{0,3}\[[^]]+\]:\s*\S+")
_ITEM = re.compile(r"^\s*(?:>\s*)*(?:[-*+]|\d{1,9}[.)])\s+")
_TITLE = re.compile(r"\s{0,3}#{1,6}(\s|$)")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_END = re.compile(r"(?<=[.!?:;])\s+")
_TOKEN = re.compile(r"[^\W_]+|[$€£%]|~~")
FEW = 6
"""Words: found on another page, so few are no sign of where a passage went."""


@dataclass
class Block:
    """The sentences under one heading."""

    sentences: list[str] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The blocks of a text, those without sentences left out."""
    found, lines, fence = [Block()], list[str](), ""
    raw = _COMMENT.sub(" ", text).split("\n")
    for at, line in enumerate(raw):
        mark = line.strip()[:3]
        if fence or mark in ("```", "~~~"):
            fence = ("" if mark == fence else fence) if fence else mark
            found[-1].sentences += _sentences(lines)
            lines = [line]
            continue
        underlined = at + 1 < len(raw) and _UNDERLINE.match(raw[at + 1]) and line.strip() and not lines
        if _TITLE.match(line) or underlined:
            found[-1].sentences += _sentences(lines)
            lines = []
            found.append(Block())
        elif not line.strip() or _ITEM.match(line) or line.lstrip().startswith("|"):
            found[-1].sentences += _sentences(lines)
            lines = [line]
        elif not (_UNDERLINE.match(line) and not lines):
            lines.append(line)
    found[-1].sentences += _sentences(lines)
    return [block for block in found if block.sentences]


def _sentences(lines: Sequence[str]) -> Iterator[str]:
    text = " ".join(_ITEM.sub("", line) for line in lines if not _DEFINED.match(line))
    text = _ELEMENT.sub(" ", _IMAGE_OR_LINK.sub(r"\1", text)).replace("\\", "")
    for sentence in _END.split(unicodedata.normalize("NFKC", text)):
        if words := _TOKEN.findall(sentence.lower()):
            yield " ".join(words)


@dataclass
class _Place:
    """A block on a page: its sentences stand at `first` to `last` of all."""

    first: int
    last: int


class Page:
    """All sentences of a page, and where its blocks begin and end."""

    def __init__(self, text: str) -> None:
        self.sentences: list[str] = []
        self.starts, self.ends = set[int](), set[int]()
        for block in blocks(text):
            self.starts.add(len(self.sentences))
            self.sentences += block.sentences
            self.ends.add(len(self.sentences) - 1)
        self.at: dict[str, list[int]] = {}
        for number, sentence in enumerate(self.sentences):
            self.at.setdefault(sentence, []).append(number)

    def runs(self, wanted: Sequence[str], least: int = 0) -> Iterator[int]:
        """Where these sentences stand in one run; the first and the last may be cut off."""
        if len(wanted) > 1 and wanted[1] in self.at:
            starts = [number - 1 for number in self.at[wanted[1]]]
        elif len(wanted) == 1:
            starts = [number for number, each in enumerate(self.sentences) if wanted[0] in each]
        else:
            starts = [n for n, each in enumerate(self.sentences[:-1]) if len(wanted) == 2 and each.endswith(wanted[0])]
        for start in starts:
            if start >= least and self._is_run(wanted, start):
                yield start

    def _is_run(self, wanted: Sequence[str], start: int) -> bool:
        here = self.sentences[start : start + len(wanted)]
        if len(here) < len(wanted):
            return False
        if len(wanted) == 1:
            return wanted[0] == here[0] or f" {wanted[0]} " in f" {here[0]} "
        inner = here[1:-1] == list(wanted[1:-1])
        return inner and _ends_with(here[0], wanted[0]) and _begins_with(here[-1], wanted[-1])


def _ends_with(whole: str, part: str) -> bool:
    return whole == part or whole.endswith(" " + part)


def _begins_with(whole: str, part: str) -> bool:
    return whole == part or whole.startswith(part + " ")


class Snapshot:
    """The pages of a date, by path."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.pages = {path: Page(text) for path, text in pages.items()}

    def means_the_same(self, path: str, section: str, earlier: "Snapshot") -> bool | None:
        """Whether a section of the page `path` of an earlier date still stands in this one. None where it says
        nothing, or cannot be found again on its own page."""
        here, parts = earlier.pages[path], [block.sentences for block in blocks(section)]
        if not parts:
            return None
        bounds = list[tuple[str, str]]()
        least = 0
        for sentences in parts:
            start = next(here.runs(sentences, least), -1)
            if start < 0:
                return None
            least = end = start + len(sentences) - 1
            first = start in here.starts and _whole(here.sentences[start], sentences[0])
            final = end in here.ends and _whole(here.sentences[end], sentences[-1])
            before = here.sentences[start - 1] if start else ""
            after = here.sentences[end + 1] if end + 1 < len(here.sentences) else ""
            bounds.append((before if first else "*", after if final else "*"))
        own = [self.pages[path]] if path in self.pages else []
        enough = sum(len(each.split()) for sentences in parts for each in sentences) >= FEW
        others = [page for name, page in self.pages.items() if name != path] if enough else []
        return any(_stands(page, parts, bounds) for page in (*own, *others))


def _whole(sentence: str, part: str) -> bool:
    return sentence == part


def _stands(page: Page, parts: Sequence[Sequence[str]], bounds: Sequence[tuple[str, str]]) -> bool:
    least = 0
    for sentences, (before, after) in zip(parts, bounds, strict=True):
        for start in page.runs(sentences, least):
            end = start + len(sentences) - 1
            fits_before = before == "*" or start in page.starts or page.sentences[start - 1] == before
            fits_after = after == "*" or end in page.ends or page.sentences[end + 1] == after
            if fits_before and fits_after:
                least = end
                break
        else:
            return False
    return True
