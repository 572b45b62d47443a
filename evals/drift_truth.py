"""What truly became of a passage of a handbook: a second reading of the pages, which shares no code with Fairlead's.

It reads raw pages, not stored sections. The rule, which was settled by looking at cases: a section still means what it
meant if, on one page of the later date, the words of each of its headings stand in their order without a gap, and
nothing was added to them under the same heading. What headings are called and how deep they are, which page it is, how
lines are wrapped, how lists and emphasis are marked (in HTML too), how sentences are punctuated and where links lead
does not count. A section that the length of a text cut off in the middle of a heading's text may have anything beside
it there.
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
"""Words: found on another page, fewer are the same passage only if the same words stand beside them."""
BESIDE = 3
"""Words beside a block that tell whether anything was added to it."""


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


class Page:
    """All words of a page in one text, and at which places of it a block begins or ends."""

    def __init__(self, text: str) -> None:
        said, self.edges = "", {0}
        for block in blocks(text):
            said += " " + " ".join(block.sentences)
            self.edges.add(len(said))
        self.said = said + " "

    def runs(self, wanted: str, least: int = 0) -> Iterator[tuple[int, int]]:
        """Where these words stand without a gap: from the blank before them to that behind them."""
        start = self.said.find(f" {wanted} ", least)
        while start >= 0:
            yield start, start + len(wanted) + 1
            start = self.said.find(f" {wanted} ", start + 1)

    def before(self, start: int) -> list[str]:
        return self.said[:start].split()[-BESIDE:]

    def behind(self, end: int) -> list[str]:
        return self.said[end:].split(maxsplit=BESIDE)[:BESIDE]


@dataclass
class _Wanted:
    """The words of a block, with those beside it. `opens` and `closes`: a heading stood there, or the page ended."""

    said: str
    before: list[str]
    behind: list[str]
    opens: bool
    closes: bool

    def stands(self, page: Page, least: int) -> int:
        """Where it ends on a page; -1 where it does not stand there."""
        for start, end in page.runs(self.said, least):
            begins = not self.opens or start in page.edges or page.before(start) == self.before
            if begins and (not self.closes or end in page.edges or page.behind(end) == self.behind):
                return end
        return -1

    def stands_among(self, page: Page) -> bool:
        """Whether it stands there between the same words as before."""
        runs = page.runs(self.said)
        return any(page.before(start) == self.before and page.behind(end) == self.behind for start, end in runs)


class Snapshot:
    """The pages of a date, by path."""

    def __init__(self, pages: dict[str, str]) -> None:
        self.pages = {path: Page(text) for path, text in pages.items()}

    def means_the_same(self, path: str, section: str, earlier: "Snapshot") -> bool | None:
        """Whether a section of the page `path` of an earlier date still stands in this one. None where it says
        nothing, or cannot be found again on its own page."""
        here, least, wanted = earlier.pages[path], 0, list[_Wanted]()
        for block in blocks(section):
            said = " ".join(block.sentences)
            start, least = next(here.runs(said, least), (-1, least))
            if start < 0:
                return None
            ends = (start in here.edges, least in here.edges)
            wanted.append(_Wanted(said, here.before(start), here.behind(least), *ends))
        if not wanted:
            return None
        if path in self.pages and _holds(self.pages[path], wanted):
            return True
        if sum(len(each.said.split()) for each in wanted) >= FEW:
            return any(_holds(page, wanted) for page in self.pages.values())
        return any(all(each.stands_among(page) for each in wanted) for page in self.pages.values())


def _holds(page: Page, wanted: Sequence[_Wanted]) -> bool:
    least = 0
    for each in wanted:
        least = each.stands(page, least)
        if least < 0:
            return False
    return True
