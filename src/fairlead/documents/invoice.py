"""The fields of an invoice, each with its place, how sure it is, and why it is not."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import CODES, SHARED, SYMBOLS, amounts_in
from fairlead.documents.dates import Day, days_in
from fairlead.documents.identifiers import Identifier, accounts, vat_numbers
from fairlead.documents.layout import Sheet, folded
from fairlead.documents.named import Named, Piece
from fairlead.documents.papers import other_paper
from fairlead.documents.parties import buyers, supplier
from fairlead.documents.totals import reckoned
from fairlead.documents.types import Box, Field, Page

REQUIRED: Final = ("supplier", "number", "date", "currency", "total")
"""What an invoice cannot be posted without."""

MOST_TEXT: Final = 20_000

_NOT_ENGLISH: Final = frozenset(
    (
        "rechnung",
        "rechnungsnummer",
        "rechnungsdatum",
        "facture",
        "factuur",
        "factuurnummer",
        "factura",
        "fattura",
        "fatura",
        "faktura",
        "fakturanummer",
        "fakturadatum",
        "lasku",
        "szamla",
    )
)
_STATES: Final = re.compile(
    r"\b(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC)"
    r",?\s+\d{5}(?:-\d{4})?\b"
)
_KR: Final = {"SE": "SEK", "DK": "DKK", "NO": "NOK"}
_GOES_ON: Final = frozenset(
    ["of", "vom", "du", "del", "dated", "from", "dd", "z", "zo", "van", "af", "den", "le", "fra", "datum", "date"]
)
_MONTHS_DUE: Final = 400  # days


class Invoice(Struct, frozen=True, kw_only=True):
    """What was read. `fields` by name: supplier, vat, iban, number, date, due, order, currency, total, net, tax.
    `text` is the document's, line by line, as far as `MOST_TEXT` letters go."""

    fields: dict[str, Field]
    pages: int
    text: str


def invoice_of(pages: Sequence[Page], house: Iterable[str] = ()) -> Invoice:
    """Read an invoice. `house` are one's own names, which are never the supplier's."""
    sheet = Sheet(pages)
    named = Named(sheet)
    ibans, vats = accounts(sheet), vat_numbers(sheet)
    sums = reckoned(named)
    found: dict[str, Field | None] = {
        "supplier": supplier(named, [*ibans, *vats], house),
        "vat": _vat(named, vats, ibans),
        "iban": _iban(ibans),
        "number": _number(named, [*ibans, *vats]),
        "order": _order(named),
        **_dates(named, sheet, ibans, vats),
        "currency": _currency(sheet, sums.sign, sums.fields.get("total"), ibans, vats),
        **sums.fields,
    }
    number, other = found["number"], other_paper(sheet)
    if number is not None and other:
        found["number"] = _doubted(number, f"the document calls itself {other!r}, which is no invoice to pay")
    text = "\n".join("  ".join(cell.text for cell in line) for line in sheet.lines)[:MOST_TEXT]
    return Invoice(fields={name: each for name, each in found.items() if each is not None}, pages=len(pages), text=text)


def _field(piece: Piece, value: str, confidence: float, doubt: str = "") -> Field:
    return Field(value=value, text=piece.text, page=piece.page, box=piece.box, confidence=confidence, doubt=doubt)


def _number(named: Named, proofs: Sequence[Identifier]) -> Field | None:
    taken = {re.sub(r"\W", "", each.value) for each in proofs}
    strong = list(_numbers(named, "number", taken))
    heading = [each for each in _numbers(named, "heading", taken) if each[0].how != "below"]
    found = strong or heading or list(_numbers(named, "weak_number", taken))
    if not found:
        return None
    piece, value, doubt = found[0]
    others = {_bare(other) for _, other, _ in (*strong, *heading)} - {_bare(value)}
    if others:
        doubt = "several numbers may be the invoice's: " + ", ".join(
            sorted({value, *(each[1] for each in (*strong, *heading))})
        )
    elif not strong and (not heading or len(re.findall(r"\d", value)) < 3 or re.fullmatch(r"(19|20)\d\d", value)):
        doubt = doubt or "no label says for sure that it is the invoice's number"
    return _field(piece, value, 0.5 if doubt else 0.96 if strong else 0.92, doubt)


def _numbers(named: Named, kind: str, taken: set[str]) -> Iterator[tuple[Piece, str, str]]:
    """Pieces beside such labels that read as a number of a document, with what is doubtful about each."""
    for label in named.with_kind(kind):
        if kind == "heading" and (label.at or not label.rest):
            continue
        for piece in named.beside(label):
            read = _identifier(piece.text)
            if read is not None and re.sub(r"\W", "", read[0]).upper() not in taken:
                yield piece, *read
                break


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
    if not 2 <= len(first) <= 30 or "%" in first or re.search(r"[€£$]", first) or "@" in first:
        return None
    follows = rest[0].strip(".,;:()") if rest else ""
    goes_on = bool(rest) and folded(follows) not in _GOES_ON and any(letter.isdigit() for letter in follows)
    return first, "it may go on after this" if goes_on and not days_in(" ".join(rest[:3])) else ""


def _order(named: Named) -> Field | None:
    found = list(_numbers(named, "order", set()))
    if not found:
        return None
    piece, value, doubt = found[0]
    if len({_bare(other) for _, other, _ in found}) > 1:
        doubt = "several order numbers stand there: " + ", ".join(dict.fromkeys(other for _, other, _ in found))
    return _field(piece, value, 0.5 if doubt else 0.93, doubt)


def _dates(
    named: Named, sheet: Sheet, ibans: Sequence[Identifier], vats: Sequence[Identifier]
) -> dict[str, Field | None]:
    turn = _turn(sheet, ibans, vats)
    issued = _dated(named, "date", turn) or _dated(named, "weak_date", turn)
    due = _dated(named, "due", turn)
    if issued is None:
        issued = _only_date(sheet, turn, due)
    if issued is not None and due is not None:
        one, other = date.fromisoformat(str(issued.value)), date.fromisoformat(str(due.value))
        if other < one or (other - one).days > _MONTHS_DUE:
            said = "the due date does not fit the invoice's"
            issued, due = _doubted(issued, said), _doubted(due, said)
    return {"date": issued, "due": due}


def _doubted(field: Field, doubt: str) -> Field:
    return Field(
        value=field.value, text=field.text, page=field.page, box=field.box, confidence=0.4, doubt=field.doubt or doubt
    )


def _dated(named: Named, kind: str, turn: str) -> Field | None:
    found: list[tuple[Piece, Day]] = []
    for label in named.with_kind(kind):
        if label.kinds & {"other"} or (kind == "weak_date" and label.at):
            continue
        for piece in named.beside(label):
            days = days_in(piece.text)
            if days and days[0].start <= 12:
                found.append((piece, days[0]))
                break
    if not found:
        return None
    piece, day = found[0]
    value, doubt = _turned(day, turn)
    if len({_turned(each, turn)[0] for _, each in found}) > 1:
        doubt = "several dates may be meant: " + ", ".join(sorted({str(_turned(each, turn)[0]) for _, each in found}))
    return _field(piece, value.isoformat(), 0.5 if doubt else 0.96 if kind != "weak_date" else 0.93, doubt)


def _only_date(sheet: Sheet, turn: str, due: Field | None) -> Field | None:
    for cell in sheet.cells:
        for day in days_in(cell.text):
            value = _turned(day, turn)[0].isoformat()
            if due is None or value != due.value:
                doubt = "no label says that this is the invoice's date"
                return Field(value=value, text=cell.text, page=cell.page, box=cell.box, confidence=0.4, doubt=doubt)
    return None


def _turn(sheet: Sheet, ibans: Sequence[Identifier], vats: Sequence[Identifier]) -> str:
    """Which stands first in dates of numbers alone: `day`, `month`, or "" where nothing tells."""
    days = [day for cell in sheet.cells for day in days_in(cell.text) if day.mark]
    sure = {
        ("month" if _is_month_first(cell.text, day) else "day")
        for cell in sheet.cells
        for day in days_in(cell.text)
        if day.mark and day.other is None and day.day.day > 12
    }
    if len(sure) == 1:
        return sure.pop()
    if sure:
        return ""
    if days and all(day.mark == "." for day in days):
        return "day"
    tokens = {token for cell in sheet.cells for token, _, _ in cell.tokens}
    text = "\n".join(cell.text for cell in sheet.cells)
    american = bool(_STATES.search(text)) or "usa" in tokens or "USD" in text
    if tokens & _NOT_ENGLISH:
        return "day"
    if ibans or vats or "£" in text or "GBP" in text or "€" in text or {"abn", "gstin"} & tokens:
        return "" if american else "day"
    return "month" if american else ""


def _is_month_first(text: str, day: Day) -> bool:
    found = re.match(r"\d+", text[day.start :])
    return found is not None and int(found[0]) == day.day.month and int(found[0]) != day.day.day


def _turned(day: Day, turn: str) -> tuple[date, str]:
    if day.other is None or day.mark == "" or day.other == day.day:
        return day.day, ""
    if not turn:
        return day.day, "day and month may stand the other way round"
    return (day.other if turn == "month" else day.day), ""


def _iban(found: Sequence[Identifier]) -> Field | None:
    values = dict.fromkeys(each.value for each in found)
    if not values:
        return None
    doubt = "" if len(values) == 1 else "several bank accounts stand there: " + ", ".join(values)
    return _of(found[0], 0.99 if not doubt else 0.5, doubt)


def _vat(named: Named, vats: Sequence[Identifier], ibans: Sequence[Identifier]) -> Field | None:
    away = buyers(named)
    found = [each for each in vats if id(each.cell) not in away]
    if not found:
        return None
    values = dict.fromkeys(each.value for each in found)
    page = named.sheet.pages[found[0].page - 1]
    low = found[0].box[1] > 0.8 * page.height
    country = {each.value[:2] for each in ibans}
    doubt = ""
    if len(values) > 1:
        doubt = "several VAT numbers stand there: " + ", ".join(values)
    elif not low and found[0].value[:2] not in country:
        doubt = "nothing says whose VAT number it is"
    return _of(found[0], 0.5 if doubt else 0.95, doubt)


def _of(found: Identifier, confidence: float, doubt: str) -> Field:
    return Field(value=found.value, text=found.text, page=found.page, box=found.box, confidence=confidence, doubt=doubt)


def _currency(
    sheet: Sheet, sign: str, total: Field | None, ibans: Sequence[Identifier], vats: Sequence[Identifier]
) -> Field | None:
    signs: Counter[str] = Counter()
    where: dict[str, tuple[str, int, Box]] = {}
    for cell in sheet.cells:
        said = [each.sign for each in amounts_in(cell.text) if each.sign]
        said += [code for word in cell.words if (code := word.text.strip("().,:;[]/")) in CODES and code not in said]
        said += [each for word in cell.words if (each := word.text.strip("().,:;[]/")) in SYMBOLS and each not in said]
        for each in said:
            signs[each] += 1
            where.setdefault(each, (cell.text, cell.page, cell.box))
    if sign:
        signs[sign] += 2
    if not signs:
        return None
    sure = {SYMBOLS.get(each, each) for each in signs if each in SYMBOLS or each in CODES}
    shared = [each for each in signs if each in SHARED]
    best = sign or signs.most_common(1)[0][0]
    value, doubt = _named_currency(best, sure, ibans, vats, sheet)
    others = sure - {value}
    if not doubt and (others or (shared and value not in {each for one in shared for each in SHARED[one]})):
        doubt = "several currencies stand there: " + ", ".join(sorted({value, *others, *shared}))
    text, page, box = where.get(best) or (
        total.text if total else best,
        total.page if total else 1,
        total.box if total else (0.0, 0.0, 0.0, 0.0),
    )
    return Field(value=value, text=text, page=page, box=box, confidence=0.5 if doubt else 0.97, doubt=doubt)


def _named_currency(
    sign: str, sure: set[str], ibans: Sequence[Identifier], vats: Sequence[Identifier], sheet: Sheet
) -> tuple[str, str]:
    if sign not in SHARED:
        return SYMBOLS.get(sign, sign), ""
    may = SHARED[sign]
    told = sure & set(may)
    if len(told) == 1:
        return told.pop(), ""
    countries = {each.value[:2] for each in (*ibans, *vats)}
    if sign == "kr" and len(found := {_KR[each] for each in countries if each in _KR}) == 1:
        return found.pop(), ""
    text = "\n".join(cell.text for cell in sheet.cells)
    if sign == "$" and _STATES.search(text) and not re.search(r"Canada|Australia|ABN|GST|HST|Mexico|Singapore", text):
        return "USD", ""
    return may[0], f"{sign} may be {' or '.join(may)}"


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()
