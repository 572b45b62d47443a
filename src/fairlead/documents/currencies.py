"""The currency of an invoice: by signs and codes, and by the country where a sign is shared."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from fairlead.documents.amounts import CODES, SHARED, SYMBOLS, amounts_in
from fairlead.documents.countries import dollars_are_american
from fairlead.documents.identifiers import Identifier
from fairlead.documents.layout import Cell, Sheet
from fairlead.documents.types import Field

_KR: Final = {"SE": "SEK", "DK": "DKK", "NO": "NOK"}
_ALONE: Final = frozenset(each for each in SYMBOLS if not each[0].isalpha())
"""Signs that are no words: those count without an amount beside them."""


def currency(sheet: Sheet, sign: str, total: Field | None, proofs: Sequence[Identifier]) -> Field | None:
    """The currency, doubtful where several are named or a sign may be that of several. `sign` is the total's."""
    signs, where = _signs(sheet)
    if sign:
        signs[sign] += 2
    if not signs:
        return None
    sure = {SYMBOLS.get(each, each) for each in signs if each in SYMBOLS or each in CODES}
    shared = [each for each in signs if each in SHARED]
    best = sign or signs.most_common(1)[0][0]
    value, doubt = _named(best, sure, proofs, sheet)
    others = sure - {value}
    if not doubt and (others or (shared and value not in {each for one in shared for each in SHARED[one]})):
        doubt = "several currencies stand there: " + ", ".join(sorted({value, *others, *shared}))
    cell = where.get(best)
    place = (cell.text, cell.page, cell.box) if cell is not None else (best, 1, (0.0, 0.0, 0.0, 0.0))
    if cell is None and total is not None:
        place = (total.text, total.page, total.box)
    text, page, box = place
    return Field(value=value, text=text, page=page, box=box, confidence=0.5 if doubt else 0.97, doubt=doubt)


def _signs(sheet: Sheet) -> tuple[Counter[str], dict[str, Cell]]:
    """How often each sign or code stands there, and where first."""
    signs: Counter[str] = Counter()
    where: dict[str, Cell] = {}
    for cell in sheet.cells:
        said = [each.sign for each in amounts_in(cell.text) if each.sign]
        words = [word.text.strip("().,:;[]/") for word in cell.words]
        said += [word for word in words if (word in CODES or word in _ALONE) and word not in said]
        for each in said:
            signs[each] += 1
            where.setdefault(each, cell)
    return signs, where


def _named(sign: str, sure: set[str], proofs: Sequence[Identifier], sheet: Sheet) -> tuple[str, str]:
    if sign not in SHARED:
        return SYMBOLS.get(sign, sign), ""
    may = SHARED[sign]
    told = sure & set(may)
    if len(told) == 1:
        return told.pop(), ""
    countries = {each.value[:2] for each in proofs}
    if sign == "kr" and len(found := {_KR[each] for each in countries if each in _KR}) == 1:
        return found.pop(), ""
    if sign == "$" and dollars_are_american(sheet):
        return "USD", ""
    return may[0], f"{sign} may be {' or '.join(may)}"
