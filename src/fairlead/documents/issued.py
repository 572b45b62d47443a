"""The dates of an invoice: when it was written, and when it is due."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from fairlead.documents.countries import is_american, is_european
from fairlead.documents.dates import Day, days_in
from fairlead.documents.identifiers import Identifier
from fairlead.documents.labels import Label
from fairlead.documents.layout import Cell, Sheet, folded
from fairlead.documents.named import Named, Piece
from fairlead.documents.types import Field

_LONGEST: Final = 400  # days until an invoice is due
_JOINING: Final = r"(?:vom|von|du|of|dated|date|van|dd|d\.d|del|den|af|da|de|z dnia|le|datum|from|on|am)"
_TITLED: Final = re.compile(
    r"^\W*(?:\w*(?:rechnung|faktura|factuur)|(?:tax |vat )?invoice|facture|factura|fattura|fatura|lasku|bolletta)\b"
    rf"(?:\s*\([^)]{{1,12}}\))?\D{{0,30}}?\S*\d\S*(?:\s\S*\d\S*)?[\s,;(/-]+{_JOINING}\W*$"
)
_NUMBERED_SOON: Final = re.compile(r"^\W*(?:\w*rechnung|facture|factuur|factura|fattura|invoice)\b.*\d")
_NUMBERED: Final = re.compile(
    r"^\W*(?:(?:tax |vat |sales )?invoice|rechnung|facture|factuur|factura|fattura|fatura|faktura|lasku)"
    r"(?:\s*(?:n[ro]?|no|num\w*|nummer|number|#|№)\b[.:°º]?)?\W*\S*\d\S*$"
)
"""A title that is nothing but what it is and its number."""
_WORD: Final = re.compile(r"[^\W\d_]{2}")
_JOINED: Final = re.compile(rf"^{_JOINING}?\W*$")
_DATED_LINE: Final = re.compile(r"^(?:vom|du|dated|del|van)\W*$")
_TOWN: Final = re.compile(
    r"^[^\W\d_][\w .'’-]{1,40},?\s+(?:(?:le|den|il|a|the|am|dnia)\s+)?$|^[^\W\d_][\w .'’-]{1,40},\s*$",
    re.IGNORECASE,
)
_BETWEEN: Final = frozenset("—–-|·•/")
_SLASHED: Final = re.compile(r"\s*\S+(?: \S+)?\s*[/|,;·•–—-]\s*$")
_LONGEST_TITLE: Final = 150  # letters
_LETTERHEAD: Final = 0.45  # of the page's height
_FOOT: Final = 0.88  # of the page's height


def dates(named: Named, proofs: Sequence[Identifier]) -> dict[str, Field | None]:
    """The fields `date` and `due`."""
    sheet = named.sheet
    turn = _turn(sheet, proofs)
    issued = _dated(named, "date", turn) or _in_title(named, turn) or _against_letter(named, turn)
    due = _dated(named, "due", turn)
    if issued is not None and due is not None and (issued.page, issued.box) == (due.page, due.box):
        issued = None
    if issued is None:
        issued = _in_letter(sheet, turn, due) or _only_date(named, turn, due)
    if issued is not None and due is not None:
        one, other = date.fromisoformat(str(issued.value)), date.fromisoformat(str(due.value))
        if other < one or (other - one).days > _LONGEST:
            said = "the due date does not fit the invoice's"
            issued, due = _doubted(issued, said), _doubted(due, said)
    return {"date": issued, "due": due}


def _doubted(field: Field, doubt: str) -> Field:
    return Field(
        value=field.value, text=field.text, page=field.page, box=field.box, confidence=0.4, doubt=field.doubt or doubt
    )


def _against_letter(named: Named, turn: str) -> Field | None:
    """The date beside a label such as `Date`, doubtful where that of the letter is another."""
    found, letter = _dated(named, "weak_date", turn), _in_letter(named.sheet, turn, None)
    if found is None or letter is None or found.value == letter.value:
        return found
    return _doubted(found, f"several dates may be meant: {found.value}, {letter.value}")


def _dated(named: Named, kind: str, turn: str) -> Field | None:
    found: list[tuple[Piece, Day]] = []
    for label in named.with_kind(kind):
        if label.kinds & {"other"} or (kind == "weak_date" and label.at and not _is_item(named, label)):
            continue
        for piece in named.beside(label):
            days = days_in(piece.text)
            if kind == "weak_date" and not _may_be_issued(named, label, piece):
                continue
            second = bool(days) and _is_second_value(named, label, piece, days[0])
            if kind == "weak_date" and not second and _is_of_something(piece, days):
                continue
            if days and (days[0].start <= 12 or second):
                found.append((piece, days[0]))
                break
    if not found:
        return None
    piece, day = found[0]
    value, doubt = _turned(day, turn)
    doubt = _several({_turned(each, turn)[0] for _, each in found}) or doubt
    confidence = 0.5 if doubt else 0.96 if kind != "weak_date" else 0.93
    return _field(piece.text, piece.page, piece.box, value, confidence, doubt)


def _is_of_something(piece: Piece, days: list[Day]) -> bool:
    """Whether words between a label such as `Date` and its value say what the date is of, as in `Date début : ...`."""
    before = folded(piece.text[: days[0].start]) if days and piece.how == "inline" else ""
    return _WORD.search(before) is not None and "," not in before and not _JOINED.match(before)


def _is_second_value(named: Named, label: Label, piece: Piece, day: Day) -> bool:
    """Whether a date is the second value beside a caption for two, as in `Invoice no. / Date: 4711 / 14.03.2026`."""
    return named.of(label.cell)[0] is not label and _SLASHED.match(piece.text[: day.start]) is not None


def _may_be_issued(named: Named, label: Label, piece: Piece) -> bool:
    """Whether what stands beside a label such as `Date` may be the invoice's: not at the foot of a page, where it was
    printed, and not under the head of a column of what was bought."""
    if piece.cell.middle > _FOOT * named.sheet.pages[piece.page - 1].height:
        return False
    heads = (other for cell in named.sheet.line_of(label.cell) for other in named.of(cell))
    return piece.how != "below" or not any("column" in each.kinds for each in heads)


def _is_item(named: Named, label: Label) -> bool:
    """Whether a label begins an item of a line that tells the invoice's number first, as in `Invoice 7 — Date ...`."""
    first = named.of(label.cell)[0]
    own = not first.at and bool(first.kinds & {"number", "heading"})
    word = label.cell.words[label.at].text
    before = word[: folded(word).find(label.said.split()[0])] or label.cell.words[label.at - 1].text
    return own and (before in _BETWEEN or (not first.rest and before.endswith("/")))


def _is_in_table(named: Named, cell: Cell) -> bool:
    """Whether the heads of columns stand above a cell."""
    above = (line for line in named.sheet.above_line(cell))
    return any(sum("column" in label.kinds for one in line for label in named.of(one)) > 1 for line in above)


def _several(values: set[date]) -> str:
    return "several dates may be meant: " + ", ".join(sorted(map(str, values))) if len(values) > 1 else ""


def _field(text: str, page: int, box: tuple[float, float, float, float], value: date, sure: float, doubt: str) -> Field:
    return Field(value=value.isoformat(), text=text, page=page, box=box, confidence=sure, doubt=doubt)


def _in_title(named: Named, turn: str) -> Field | None:
    """The date after the number in the title, as in `Facture n° 4711 du 2 mars 2026`, or in the line under it: not
    after that of something else, as in `Rechnung zur Bestellung Nr. 4711 vom ...`."""
    sheet = named.sheet
    found = [
        (cell, days[0])
        for line in sheet.lines
        for number, cell in enumerate(line)
        if (days := days_in(cell.text)) and not any(each.kinds & {"order", "other"} for each in named.of(cell))
        if _is_titled(sheet, cell, " ".join([*(each.text for each in line[max(0, number - 1) : number]), ""]), days[0])
    ]
    if not found:
        return None
    cell, day = found[0]
    value, doubt = _turned(day, turn)
    doubt = _several({_turned(each, turn)[0] for _, each in found}) or doubt
    return _field(cell.text, cell.page, cell.box, value, 0.5 if doubt else 0.94, doubt)


def _is_titled(sheet: Sheet, cell: Cell, left: str, day: Day) -> bool:
    own = folded(cell.text[: day.start]).strip()
    before = f"{folded(left)}{own}" if _JOINED.match(own) else own  # a cell with words of its own stands for itself
    if len(before) > _LONGEST_TITLE:
        return False
    return _TITLED.match(before + " ") is not None or _is_second_line(sheet, cell, before, day)


def _is_second_line(sheet: Sheet, cell: Cell, before: str, day: Day) -> bool:
    """Whether a cell goes on with a title that did not fit its line, or is nothing but a date right under it."""
    bare = not before.strip() and day.end >= len(cell.text.rstrip(" ."))
    if not bare and not _DATED_LINE.match(before.strip()):
        return False
    above = next(iter(sheet.above_line(cell)), [])
    return any(
        (_NUMBERED if bare else _NUMBERED_SOON).match(folded(each.text)) is not None
        for each in above
        if abs(each.box[0] - cell.box[0]) < 4 and cell.box[1] - each.box[3] < each.size
    )


def _in_letter(sheet: Sheet, turn: str, due: Field | None) -> Field | None:
    """The date of a letter, `Lyon, le 2 mars 2026`: a town before it, in the upper part, and only once."""
    found = [
        (cell, days[0])
        for cell in sheet.cells
        if cell.page == 1 and cell.middle < _LETTERHEAD * sheet.pages[0].height
        if len(days := days_in(cell.text)) == 1 and days[0].end >= len(cell.text.rstrip(" ."))
        if _TOWN.match(cell.text[: days[0].start]) and "," in cell.text[: days[0].start]
    ]
    if len({day.day for _, day in found}) != 1:
        return None
    cell, day = found[0]
    value, doubt = _turned(day, turn)
    later = [other for other in _other_days(sheet, turn) if other > value and (due is None or str(other) != due.value)]
    if later and due is None:
        doubt = doubt or "no label says that this is the invoice's date"
    return _field(cell.text, cell.page, cell.box, value, 0.5 if doubt else 0.9, doubt)


def _other_days(sheet: Sheet, turn: str) -> Iterator[date]:
    for cell in sheet.cells:
        for day in days_in(cell.text):
            yield _turned(day, turn)[0]


def _only_date(named: Named, turn: str, due: Field | None) -> Field | None:
    """A date without a label: sure where it stands alone in its cell, in the upper part above what was bought, and no
    other is anywhere."""
    sheet = named.sheet
    found = [(cell, day) for cell in sheet.cells for day in days_in(cell.text)]
    wanted = [(cell, day) for cell, day in found if due is None or str(_turned(day, turn)[0]) != due.value]
    if not wanted:
        return None
    cell, day = wanted[0]
    value, doubt = _turned(day, turn)
    alone = len(cell.text.strip(" .,:")) == day.end - day.start and not sheet.left_of(cell)
    upper = cell.page == 1 and cell.middle < _LETTERHEAD * sheet.pages[0].height
    if not (alone and upper) or _is_in_table(named, cell) or len({each.day for _, each in found}) > 1:
        doubt = "no label says that this is the invoice's date"
    return _field(cell.text, cell.page, cell.box, value, 0.4 if doubt else 0.9, doubt)


def _turn(sheet: Sheet, proofs: Sequence[Identifier]) -> str:
    """Which stands first in dates of numbers alone: `day`, `month`, or "" where nothing tells."""
    days = [day for cell in sheet.cells for day in days_in(cell.text) if day.mark]
    sure = {
        ("month" if _is_month_first(cell.text, day) else "day")
        for cell in sheet.cells
        for day in days_in(cell.text)
        if day.mark and day.other is None and day.day.day > 12
        if re.match(r"\d{1,2}\D", cell.text[day.start :])
    }
    if len(sure) == 1:
        return sure.pop()
    if sure:
        return ""
    if days and all(day.mark == "." for day in days):
        return "day"
    american, european = is_american(sheet), is_european(sheet, bool(proofs))
    return "" if american == european else "month" if american else "day"


def _is_month_first(text: str, day: Day) -> bool:
    found = re.match(r"\d+", text[day.start :])
    return found is not None and int(found[0]) == day.day.month and int(found[0]) != day.day.day


def _turned(day: Day, turn: str) -> tuple[date, str]:
    if day.other is None or day.mark == "" or day.other == day.day:
        return day.day, ""
    if not turn:
        return day.day, "day and month may stand the other way round"
    return (day.other if turn == "month" else day.day), ""
