"""Words as people see them: lines, and cells of a line that stand apart."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice, pairwise
from typing import Final

from fairlead.documents.types import Box, Page, Word

_GAP: Final = 0.85  # of a letter's size: a wider gap parts cells
_SPELT: Final = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "æ": "ae", "Æ": "ae", "ı": "i"}
)


def folded(text: str) -> str:
    """Small letters without accents: how labels are compared."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.translate(_SPELT))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


class Cell:
    """Words of one line that stand together. `page` from 1; `row` is the line's number on it."""

    def __init__(self, words: Sequence[Word], page: int, row: int) -> None:
        self.words = tuple(words)
        self.page = page
        self.row = row
        self.box: Box = around(words)

    @cached_property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @cached_property
    def tokens(self) -> tuple[tuple[str, int, int], ...]:
        """Each run of letters or digits, folded: with the number of its word and where in the word it ends."""
        found: list[tuple[str, int, int]] = []
        for number, word in enumerate(self.words):
            start = -1
            text = word.text
            for at in range(len(text) + 1):
                if text[at : at + 1] == "#":
                    if start >= 0:
                        found.append((folded(text[start:at]), number, at))
                    found.append(("no", number, at + 1))
                    start = -1
                    continue
                inside = at < len(text) and (text[at].isalnum() or text[at] == "_")
                if inside and start < 0:
                    start = at
                elif not inside and start >= 0:
                    said = folded(text[start:at])
                    if said == "o" and found and found[-1][:2] == ("n", number):
                        found.pop()  # n.º, as in Spain: no, as elsewhere
                        said = "no"
                    found.append((said, number, at))
                    start = -1
        return tuple(found)

    @property
    def size(self) -> float:
        """The size of its largest letters, in points."""
        return max(word.size for word in self.words)

    @property
    def middle(self) -> float:
        """Half its height on the page, in points from the top."""
        return (self.box[1] + self.box[3]) / 2

    def __repr__(self) -> str:
        return f"Cell({self.text!r}, {self.page}:{self.row})"


class Sheet:
    """All cells of a document, in reading order, and who stands beside and below whom."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = tuple(pages)
        self.lines: list[list[Cell]] = []
        for number, page in enumerate(pages, 1):
            for row, words in enumerate(_lines(page.words)):
                self.lines.append([Cell(part, number, row) for part in _parts(words)])
        self.cells = [cell for line in self.lines for cell in line]
        self._at = {id(cell): (n, m) for n, line in enumerate(self.lines) for m, cell in enumerate(line)}

    def right_of(self, cell: Cell) -> list[Cell]:
        """The cells behind it in its line, the nearest first."""
        line, place = self._at[id(cell)]
        return self.lines[line][place + 1 :]

    def left_of(self, cell: Cell) -> list[Cell]:
        """The cells before it in its line, from the margin on."""
        line, place = self._at[id(cell)]
        return self.lines[line][:place]

    def below(self, cell: Cell, reach: float = 2.6) -> list[Cell]:
        """Those that stand under it within so many times its height, the nearest first."""
        found = []
        line, _ = self._at[id(cell)]
        height = max(cell.box[3] - cell.box[1], 6.0)
        for other in self.lines[line + 1 :]:
            if other[0].page != cell.page or other[0].box[1] - cell.box[3] > reach * height:
                break
            found += [each for each in other if _is_under(cell.box, each.box)]
        return found

    def above_line(self, cell: Cell) -> Iterable[list[Cell]]:
        """The lines above its own on the page, the nearest first."""
        line, _ = self._at[id(cell)]
        for other in reversed(self.lines[:line]):
            if other[0].page != cell.page:
                return
            yield other

    def lines_below(self, cell: Cell) -> Iterator[list[Cell]]:
        """The lines under its own on the page, the nearest first."""
        line, _ = self._at[id(cell)]
        for other in islice(self.lines, line + 1, None):
            if other[0].page != cell.page:
                return
            yield other

    def line_of(self, cell: Cell) -> list[Cell]:
        """All cells of its line, itself among them."""
        return self.lines[self._at[id(cell)][0]]


def around(words: Sequence[Word]) -> Box:
    """The smallest box that holds all of them."""
    return (
        min(word.box[0] for word in words),
        min(word.box[1] for word in words),
        max(word.box[2] for word in words),
        max(word.box[3] for word in words),
    )


def _is_under(one: Box, other: Box) -> bool:
    """Whether they share a side or most of their width."""
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return (
        abs(one[0] - other[0]) < 4
        or abs(one[2] - other[2]) < 4
        or shared > 0.5 * min(one[2] - one[0], other[2] - other[0])
    )


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda each: ((each.box[1] + each.box[3]) / 2, each.box[0])):
        middle = (word.box[1] + word.box[3]) / 2
        if lines and abs(_middle(lines[-1]) - middle) < 0.4 * min(word.size, lines[-1][-1].size):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda each: each.box[0]) for line in lines]


def _middle(line: list[Word]) -> float:
    return (line[-1].box[1] + line[-1].box[3]) / 2


def _parts(words: list[Word]) -> list[list[Word]]:
    parts = [[words[0]]]
    for one, other in pairwise(words):
        if other.box[0] - one.box[2] > _GAP * min(one.size, other.size):
            parts.append([])
        parts[-1].append(other)
    return parts
