"""What stands beside labels: on the same line, or below."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from fairlead.documents.labels import Label, known_label, labels_of
from fairlead.documents.layout import Cell, Sheet, around
from fairlead.documents.types import Box

_MOST_WORDS: Final = 3  # of a line of a label
_NEXT: Final = 0.5  # of a line's height: further down is no next line of a label
_DIGIT: Final = re.compile(r"\d")
_ALIGNED: Final = 2.0  # points


class Piece(Struct, frozen=True):
    """A text beside a label: `how` is `inline`, `right` or `below`."""

    text: str
    page: int
    box: Box
    how: str
    cell: Cell


class Named:
    """The labels of a document, and what stands beside each."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self._of = {id(cell): labels_of(cell) for cell in sheet.cells}
        for cell in sheet.cells:
            self._join(cell)
        self.labels = [label for cell in sheet.cells for label in self._of[id(cell)]]

    def _join(self, cell: Cell) -> None:
        """Take a label that needs two lines, as `Rechnungs-` over `nummer`, for one in the lower of them."""
        hyphen, right = cell.text.endswith("-"), self.sheet.right_of(cell)[:1]
        if len(cell.words) > _MOST_WORDS or (not hyphen and right and _DIGIT.search(right[0].text)):
            return  # with a value of its own
        under = next((each for each in self.sheet.below(cell, _NEXT) if _is_at_side(cell, each)), None)
        if under is None or len(under.words) > _MOST_WORDS:
            return
        one, other = (tuple(token for token, _, _ in each.tokens) for each in (cell, under))
        if not one or not other:
            return
        words = (*one[:-1], one[-1] + other[0], *other[1:]) if hyphen else one + other
        kinds = known_label(words)
        if kinds and not (known_label(one) & kinds and known_label(other) & kinds):
            self._of[id(cell)] = []
            self._of[id(under)] = [Label(kinds, " ".join(words), under, 0, (), len(under.words))]

    def of(self, cell: Cell) -> list[Label]:
        return self._of[id(cell)]

    def is_label(self, cell: Cell) -> bool:
        """Whether a cell begins with a label."""
        found = self._of[id(cell)]
        return bool(found) and found[0].at == 0

    def with_kind(self, *kinds: str) -> Iterator[Label]:
        """The labels of any of these kinds, and of no kind that says it is something else."""
        for label in self.labels:
            if label.kinds.intersection(kinds):
                yield label

    def beside(self, label: Label) -> Iterator[Piece]:
        """What may be its value, the likeliest first."""
        if label.rest:
            words = label.cell.words[label.rest_from : label.rest_from + len(label.rest)] or label.cell.words[-1:]
            yield Piece(" ".join(label.rest), label.cell.page, around(words), "inline", label.cell)
            return
        if self._of[id(label.cell)][-1] is not label:
            last = self._of[id(label.cell)][-1]  # the same in another language: what follows is for both
            if last.rest and last.at <= label.at + len(label.said.split()) + 1:
                yield from self.beside(last)
                return
        right = self.sheet.right_of(label.cell)
        if right and not self.is_label(right[0]):
            yield _piece(right[0], "right")
        under = next(iter(self.sheet.below(label.cell)), None)
        if under is not None and not self.is_label(under):
            yield _piece(under, "below")


def _is_at_side(one: Cell, other: Cell) -> bool:
    """Whether two cells begin or end in one place, or have one middle."""
    left, right = abs(one.box[0] - other.box[0]), abs(one.box[2] - other.box[2])
    return min(left, right, abs(one.box[0] + one.box[2] - other.box[0] - other.box[2]) / 2) < _ALIGNED


def _piece(cell: Cell, how: str) -> Piece:
    return Piece(cell.text, cell.page, cell.box, how, cell)
