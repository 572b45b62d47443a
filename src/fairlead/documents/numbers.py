"""The numbers that an invoice has and names: its own, and that of the order."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from fairlead.documents.dates import days_in
from fairlead.documents.identifiers import Identifier
from fairlead.documents.labels import Label, known_label
from fairlead.documents.layout import Cell, folded
from fairlead.documents.named import Named, Piece
from fairlead.documents.types import Field

_GOES_ON: Final = frozenset(
    [
        "of",
        "vom",
        "du",
        "del",
        "dated",
        "from",
        "dd",
        "z",
        "zo",
        "van",
        "af",
        "den",
        "le",
        "fra",
        "datum",
        "date",
        "il",
        "de",
        "da",
    ]
)
_TITLE: Final = re.compile(
    r"^(?:\w*(?:rechnung|faktura|factuur)|(?:tax |vat |sales )?invoice|facture|factura|fattura|fatura"
    r"|lasku|receipt|bill|bolletta)"
    r"(?P<about>(?:\s[\w.-]+){0,2}?)"
    r"\s*(?:\([^)]{1,12}\)\s*)?(?P<sign>nr\b\.?|no\b\.?|n[°º]|n\s?\.|num\.?|number|numero|nummer|#|№)\s*[:.]?\s*(?P<number>\S+)",
)
_NUMBER_SIGN: Final = re.compile(r"^(?:#|no\.?|nr\.?|n[°º]|№)\s*[:.]?\s*(?P<number>\S+)$")
_HYPHENS: Final = ("/", "-", "–", "\\")
_LEAST_DIGITS: Final = 3
_HEADED: Final = 4  # lines under a heading in which a number is the document's
_ALIGNED: Final = 6.0  # points
_ALIKE: Final = 0.5  # points
_HEADERS: Final = frozenset(("date", "weak_date", "due", "order", "buyer", "other"))

Read = tuple[Piece, str, str]
"""Where a number stands, the number, and what is doubtful about it."""


def invoice_number(named: Named, proofs: Sequence[Identifier]) -> Field | None:
    """The invoice's own number: beside a label of it, in the title, or under a heading in a row of labels."""
    taken = {_bare(each.value) for each in proofs}
    strong = [*_numbers(named, "number", taken), *_titled(named, taken), *_in_row(named, taken)]
    heading = [each for each in _numbers(named, "heading", taken) if each[0].how != "below"]
    heading += [] if strong or heading else _beside_heading(named, taken)
    weak = [] if strong or heading else list(_numbers(named, "weak_number", taken))
    found = strong or heading or [each for each in weak if _is_headed(named, each[0].cell)] or weak
    headed = bool(found) and _is_headed(named, found[0][0].cell) and len({_bare(each[1]) for each in weak}) == 1
    if not found:
        return None
    piece, value, doubt = found[0]
    others = {_bare(other) for _, other, _ in (*strong, *heading)} - {_bare(value)}
    if others:
        doubt = "several numbers may be the invoice's: " + ", ".join(
            sorted({value, *(each[1] for each in (*strong, *heading))})
        )
    elif (
        not strong
        and not headed
        and (not heading or len(re.findall(r"\d", value)) < 3 or re.fullmatch(r"(19|20)\d\d", value))
    ):
        doubt = doubt or "no label says for sure that it is the invoice's number"
    return _field(piece, value, 0.5 if doubt else 0.96 if strong else 0.92, doubt)


def _is_headed(named: Named, cell: Cell) -> bool:
    """Whether a heading such as `Invoice`, alone in its cell, stands in the few lines above, over the line's first cell
    or over the cell itself: then what is called just a number is its."""
    line = named.sheet.line_of(cell)
    for above in islice(named.sheet.above_line(cell), _HEADED):
        for title in above:
            label = named.of(title)[0] if named.of(title) else None
            if label is None or "heading" not in label.kinds or label.at or label.rest or _has_value(named, title):
                continue
            if any(title.box[0] - _ALIGNED < each.box[0] < title.box[2] + _ALIGNED for each in (*line[:1], cell)):
                return True
            if cell in line[1:] and abs(named.sheet.left_of(cell)[-1].box[0] - title.box[0]) < _ALIGNED:
                return True
    return False


def _has_value(named: Named, title: Cell) -> bool:
    """Whether a number stands beside a heading: then that is its, and what comes below is something else's."""
    right = named.sheet.right_of(title)[:1]
    return any(not named.is_label(each) and _identifier(each.text) is not None for each in right)


def _beside_heading(named: Named, taken: set[str]) -> Iterator[Read]:
    """The number that stands alone beside a heading that is one label among others, in letters of one size."""
    for label in named.with_kind("heading"):
        right = named.sheet.right_of(label.cell)[:1]
        if label.at or label.rest or len(named.of(label.cell)) > 1 or not right or len(right[0].words) > 1:
            continue
        read, alike = _identifier(right[0].text), abs(right[0].size - label.cell.size) < _ALIKE
        if read is None or not alike or _bare(read[0]) in taken or named.is_label(right[0]):
            continue
        if sum(letter.isdigit() for letter in read[0]) >= _LEAST_DIGITS:
            yield Piece(right[0].text, right[0].page, right[0].box, "right", right[0]), *read


def order_number(named: Named) -> Field | None:
    """The number of the order that the invoice names."""
    found = list(_numbers(named, "order", set()))
    if not found:
        return None
    piece, value, doubt = found[0]
    if len({_bare(other) for _, other, _ in found}) > 1:
        doubt = "several order numbers stand there: " + ", ".join(dict.fromkeys(other for _, other, _ in found))
    return _field(piece, value, 0.5 if doubt else 0.93, doubt)


def _field(piece: Piece, value: str, confidence: float, doubt: str) -> Field:
    return Field(value=value, text=piece.text, page=piece.page, box=piece.box, confidence=confidence, doubt=doubt)


def _numbers(named: Named, kind: str, taken: set[str]) -> Iterator[Read]:
    """Pieces beside such labels that read as a number of a document, with what is doubtful about each."""
    for label in named.with_kind(kind):
        if kind == "heading" and (label.at or not label.rest):
            continue
        for piece in named.beside(label):
            read = _identifier(piece.text)
            if read is not None and _bare(read[0]) not in taken:
                yield piece, *read
                break


def _titled(named: Named, taken: set[str]) -> Iterator[Read]:
    """The number in a title such as `Sammelrechnung (380) Nr. 4711 vom ...`, or `# 4711` below a heading."""
    for cell in named.sheet.cells:
        plain = _same_length(cell.text)
        if (found := _TITLE.match(plain)) is not None or (
            (found := _NUMBER_SIGN.match(plain)) is not None and _under_heading(named, cell)
        ):
            read = _identifier(cell.text[found.start("number") :])
        else:
            continue
        if read is None or _bare(read[0]) in taken or not any(each.isdigit() for each in read[0]):
            continue
        about = found.groupdict().get("about", "").split()
        if about and known_label((about[-1],)) & {"order", "other"}:
            continue
        doubt = "it may be the number of what the invoice is about" if about and not known_label(tuple(about)) else ""
        yield Piece(cell.text, cell.page, cell.box, "inline", cell), read[0], read[1] or doubt


def _under_heading(named: Named, cell: Cell) -> bool:
    """Whether a heading that has nothing beside it stands right above a cell, or left of it."""
    above = next(iter(named.sheet.above_line(cell)), [])
    left = named.sheet.left_of(cell)[-1:]
    near = [each for each in above if each.box[0] < cell.box[2] and cell.box[0] < each.box[2]] + left
    return any(
        label.kinds & {"heading"} and not label.at and not label.rest for each in near for label in named.of(each)[:1]
    )


def _in_row(named: Named, taken: set[str]) -> Iterator[Read]:
    """The number under `Invoice` where that is one of the headers of a row, beside those of dates and the like."""
    for label in named.with_kind("heading"):
        row = named.sheet.line_of(label.cell)
        if label.at or label.rest or len(row) < 3 or sum(_is_header(named, cell) for cell in row) < 2:
            continue
        under = next(iter(named.sheet.below(label.cell)), None)
        read = None if under is None or named.is_label(under) else _identifier(under.text)
        if under is None or read is None or read[1] or _bare(read[0]) in taken:
            continue
        if sum(letter.isdigit() for letter in read[0]) >= _LEAST_DIGITS:
            yield Piece(under.text, under.page, under.box, "below", under), *read


def _is_header(named: Named, cell: Cell) -> bool:
    found: list[Label] = named.of(cell)
    return bool(found) and not found[0].at and not found[-1].rest and bool(found[0].kinds & _HEADERS)


def _identifier(text: str) -> tuple[str, str] | None:
    """The number at the beginning of a text, and whether it may go on."""
    words = text.strip(" :#.").split()
    days = days_in(" ".join(words[:3]))
    if not words or (days and days[0].start == 0):
        return None
    first = words[0].strip(".,;:()#")
    rest = words[1:]
    if not any(letter.isdigit() for letter in first):
        if not rest or not (first.isupper() and len(first) <= 5) or not any(each.isdigit() for each in rest[0]):
            return None
        first, rest = f"{first} {rest[0].strip('.,;:()')}", rest[1:]
    if not 2 <= len(first) <= 30 or re.search(r"[%@€£$:]", first) or first.count("(") != first.count(")"):
        return None
    return first, "it may go on after this" if _goes_on(first, rest) else ""


def _goes_on(first: str, rest: Sequence[str]) -> bool:
    """Whether a number is cut off by a space or the end of its line: `2026 / 041`, `INV-2026-`, `123 456`."""
    if first[-1] in _HYPHENS:
        return True
    apart = bool(rest) and rest[0] in _HYPHENS
    follows = rest[1:] if apart else rest
    said = follows[0].strip(".,;:()") if follows else ""
    more = folded(said) not in _GOES_ON and any(letter.isdigit() for letter in said)
    return more and not days_in(" ".join(follows[:3]))


def _same_length(text: str) -> str:
    """Folded letter by letter, so that places stay."""
    if text.isascii():
        return text.lower()
    return "".join(letters if len(letters := folded(letter)) == 1 else letter.lower() for letter in text)


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()
