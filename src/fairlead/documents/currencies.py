"""The currency of an invoice: by signs, codes and names, and by the country where a sign is shared."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from fairlead.documents.amounts import CODES, SHARED, SYMBOLS, amounts_in
from fairlead.documents.countries import dollars_are_american, rupees_are_indian
from fairlead.documents.identifiers import Identifier
from fairlead.documents.layout import Cell, Sheet
from fairlead.documents.parties import is_register
from fairlead.documents.types import Field

_KR: Final = {"SE": "SEK", "DK": "DKK", "NO": "NOK"}
_ALONE: Final = frozenset(each for each in SYMBOLS if not each[0].isalpha())
"""Signs that are no words: those count without an amount beside them."""
_NAMES: Final = {
    code: re.compile(rf"\b(?:{name})\b", re.IGNORECASE)
    for code, name in {
        "USD": r"(?:US|U\. ?S\.|United States|American) dollars?",
        "CAD": r"Canadian dollars?|dollars? canadiens?",
        "AUD": r"Australian dollars?",
        "NZD": r"New Zealand dollars?",
        "SGD": r"Singapore(?:an)? dollars?",
        "HKD": r"Hong Kong dollars?",
        "TWD": r"(?:New )?Taiwan(?:ese)? dollars?|(?-i:TWD)",
        "MXN": r"Mexican pesos?|pesos? mexicanos?",
        "ARS": r"Argentine pesos?|pesos? argentinos?|(?-i:ARS)",
        "CLP": r"Chilean pesos?|pesos? chilenos?|(?-i:CLP)",
        "COP": r"Colombian pesos?|pesos? colombianos?|(?-i:COP)",
        "SEK": r"Swedish kron(?:a|or)|svenska kronor",
        "NOK": r"Norwegian kron(?:e|er)|norske kroner",
        "DKK": r"Danish kron(?:e|er)|danske kroner",
        "JPY": r"Japanese yen",
        "CNY": r"Chinese yuan|renminbi",
    }.items()
}
"""What currencies that share a sign are called, and codes of those that bear it without being in `CODES`."""
_CHANGED: Final = re.compile(
    r"\b(?:conver[ts]|exchang|umgerechnet|umrechnung|wechselkurs|wisselkurs|koers|cambio|(?:taux de|au) change|kurs\b"
    r"|valutakurs|1(?:[.,]0+)? ?[A-Z€$£]{1,3} ?= ?[A-Z€$£]{0,3} ?\d)",
    re.IGNORECASE,
)
"""Where money is changed into another, its name says nothing of the amounts."""
_ACCOUNT: Final = re.compile(
    r"\b(?:iban|bic|swift|account (?:no|number|name)|acc(?:oun)?t\b|routing|sort code|konto\w*|rekening\w*|compte"
    r"|cuenta)",
    re.IGNORECASE,
)


def currency(sheet: Sheet, sign: str, total: Field | None, proofs: Sequence[Identifier]) -> Field | None:
    """The currency, doubtful where several are named or a sign may be that of several. `sign` is the total's."""
    signs, where = _signs(sheet, _is_of_amounts)
    if sign:
        signs[sign] += 2
    beside = not signs  # no amount of the invoice's own bears one
    if beside:
        signs, where = _signs(sheet, bool)
    if not signs:
        return None
    sure = {SYMBOLS.get(each, each) for each in signs if each in SYMBOLS or each in CODES}
    shared = [each for each in signs if each in SHARED]
    if shared:
        sure |= _called(sheet)
    best = sign or signs.most_common(1)[0][0]
    value, doubt = _named(best, sure, proofs, sheet)
    others = sure - {value}
    if not doubt and (others or (shared and value not in {each for one in shared for each in SHARED[one]})):
        doubt = "several currencies stand there: " + ", ".join(sorted({value, *others, *shared}))
    elif beside and not doubt:
        doubt = "it stands only where money is changed, or beside an account or a firm's capital"
    cell = where.get(best)
    place = (cell.text, cell.page, cell.box) if cell is not None else (best, 1, (0.0, 0.0, 0.0, 0.0))
    if cell is None and total is not None:
        place = (total.text, total.page, total.box)
    text, page, box = place
    return Field(value=value, text=text, page=page, box=box, confidence=0.5 if doubt else 0.97, doubt=doubt)


def _is_of_amounts(text: str) -> bool:
    """Whether a line may tell the currency of amounts: none that changes money, or tells of an account or a firm."""
    return not (_CHANGED.search(text) or _ACCOUNT.search(text) or is_register(text))


def _signs(sheet: Sheet, counts: Callable[[str], bool]) -> tuple[Counter[str], dict[str, Cell]]:
    """How often each sign or code stands there in lines that count, and where first."""
    signs: Counter[str] = Counter()
    where: dict[str, Cell] = {}
    for cell in (cell for line in sheet.lines if counts(" ".join(one.text for one in line)) for cell in line):
        said = [each.sign for each in amounts_in(cell.text) if each.sign]
        words = [word.text.strip("().,:;[]/") for word in cell.words]
        said += [word for word in words if (word in CODES or word in _ALONE) and word not in said]
        for each in said:
            signs[each] += 1
            where.setdefault(each, cell)
    return signs, where


def _called(sheet: Sheet) -> set[str]:
    """The currencies that a document calls by their names."""
    texts = [cell.text for cell in sheet.cells if not _CHANGED.search(cell.text)]
    return {code for code, name in _NAMES.items() if any(name.search(text) for text in texts)}


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
    if sign.startswith("Rs") and rupees_are_indian(sheet):
        return "INR", ""
    if sign == "$" and dollars_are_american(sheet):
        return "USD", ""
    return may[0], f"{sign} may be {' or '.join(may)}"
