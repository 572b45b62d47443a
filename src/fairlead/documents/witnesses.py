"""What speaks for a name as the sender's: where it stands, and which domains, registers, accounts and VAT numbers are
near it."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import amounts_in
from fairlead.documents.dates import days_in
from fairlead.documents.identifiers import Identifier, domains
from fairlead.documents.layout import Cell, Sheet, folded
from fairlead.documents.named import Named
from fairlead.documents.names import core_of, is_like_name, is_of_domain, same_name, with_form
from fairlead.documents.parties import block, buyers, is_contact, is_in_window, is_register, is_taxed, own_domains

TOP: Final = 0.25
BOTTOM: Final = 0.82
"""Shares of a page's height: above the one and below the other stands what senders say of themselves."""
PARTS: Final = re.compile(r"\s+[·•|–—-]\s+|\s*[·•|;]\s*|,\s+")
"""Between the parts of a sender's line."""
TITLES: Final = re.compile(
    r"\s*\b(?:invoice|rechnung|facture|factuur|factura|fattura|fatura|faktura|receipt|bill|tax invoice)\W*$",
    re.IGNORECASE,
)
"""What a document calls itself at the end of a line, behind a name."""
_HEAD: Final = 0.13  # of a page's height: an address in an envelope's window begins further down
_MAILBOX: Final = re.compile(r"([\w.+-]+)@")
_SMALL: Final = 8.5  # points: the sender's line above an address
_LEAST_MAILBOX: Final = 5


class Seen(Struct, frozen=True):
    """What names are held against: `away` are the ids of cells about the buyer, `stems` the names of domains, `lead`
    the first cell with a firm's name."""

    named: Named
    away: set[int]
    stems: set[str]
    accounts: list[Cell]
    vats: list[Cell]
    largest: Cell | None
    first: Cell | None
    lead: Cell | None


def seen_in(named: Named, ibans: Sequence[Identifier], vats: Sequence[Identifier]) -> Seen:
    """What a document says that names are held against: nothing of it is about whom the invoice is for."""
    away = buyers(named)
    cells = named.sheet.cells
    registers = [cell for cell in cells if id(cell) not in away and is_register(cell.text)]
    accounts = [each.cell for each in ibans if id(each.cell) not in away]
    return Seen(
        named,
        away,
        own_domains(named.sheet, away),
        [*registers, *accounts],
        [each.cell for each in vats if id(each.cell) not in away],
        _largest(named, away),
        next((cell for cell in cells if id(cell) not in away and not named.of(cell) and is_like_name(cell.text)), None)
        if cells
        else None,
        next((cell for cell in cells if id(cell) not in away and with_form(cell.text) is not None), None),
    )


def speaks_for(text: str, core: tuple[str, ...], cell: Cell, kind: str, seen: Seen) -> set[str]:
    """What speaks for a name in a cell; `kind` is why it was looked at, "" for no reason."""
    page = seen.named.sheet.pages[cell.page - 1]
    speaks = {kind} if kind else set()
    if with_form(text) is not None:
        speaks.add("form")
    if cell is seen.first:
        speaks.add("first")
    if cell.page == 1 and cell.middle < TOP * page.height:
        speaks.add("header")
        if cell.size < _SMALL and len(PARTS.split(cell.text)) > 1:
            speaks.add("sender")
    if cell.middle > BOTTOM * page.height:
        speaks.add("footer")
    if any(is_of_domain(core, stem) for stem in seen.stems):
        speaks.add("domain")
    if "form" not in speaks and _goes_on_with_name(seen.named.sheet, cell):
        return speaks  # a person at a firm that stands above
    near = {id(each) for each in block(seen.named.sheet, cell)}
    if any(id(each) in near or _is_near(cell, each) for each in seen.accounts):
        speaks.add("proof")
    if any(id(each) in near or _is_near(cell, each) for each in seen.vats):
        speaks.add("vat")
    if _is_letterhead(core, cell, seen, firm="form" in speaks):
        speaks.add("letterhead")
    if any(_is_own_mailbox(core, each) for each in block(seen.named.sheet, cell)):
        speaks.add("mailbox")
    return speaks


def _is_letterhead(core: tuple[str, ...], cell: Cell, seen: Seen, *, firm: bool) -> bool:
    """Whether a name heads the first page as only a sender's does: a firm's in the largest letters, or the first of
    all with a way to reach it or its tax number in the lines below. Not where another name stands above, below or is
    larger, another's domain stands elsewhere, or it begins an address as envelopes show it."""
    sheet = seen.named.sheet
    if cell.page != 1 or cell.middle > _HEAD * sheet.pages[0].height or is_in_window(sheet, cell):
        return False
    lines = block(sheet, cell)
    if seen.stems and not any(_speaks_of_its_domain(core, each, seen) for each in lines):
        return False
    if cell is seen.largest and firm:
        return True
    above = {id(each) for line in sheet.above_line(cell) for each in line}
    brand = seen.largest is None or seen.largest is cell or same_name(core_of(TITLES.sub("", seen.largest.text)), core)
    if not brand or (id(seen.first) in above and seen.first is not seen.largest):
        return False
    told = any(is_contact(each.text) or is_register(each.text) or is_taxed(each.text) for each in lines)
    told = told or any(each is taxed for each in lines for taxed in seen.vats)
    if not firm:
        others = any(is_like_name(each.text) or with_form(each.text) is not None for each in lines[1:])
        return told and cell is seen.first and not others
    return told and cell is seen.lead


def _speaks_of_its_domain(core: tuple[str, ...], cell: Cell, seen: Seen) -> bool:
    """Whether a line of a name's block has an address on the Internet, or a domain anywhere is made of the name."""
    return bool(domains(cell)) or any(is_of_domain(core, stem) for stem in seen.stems)


def _goes_on_with_name(sheet: Sheet, cell: Cell) -> bool:
    """Whether a firm's name stands right above in the same column."""
    above = next(iter(sheet.above_line(cell)), [])
    return any(
        abs(each.box[0] - cell.box[0]) < 4
        and cell.box[1] - each.box[3] < cell.size
        and with_form(each.text) is not None
        for each in above
    )


def _is_own_mailbox(core: tuple[str, ...], cell: Cell) -> bool:
    """Whether an address before whose @ a word of the name stands, as a sole trader's."""
    return any(
        len(word) >= _LEAST_MAILBOX and word in folded(box) for box in _MAILBOX.findall(cell.text) for word in core
    )


def _is_near(one: Cell, other: Cell) -> bool:
    """On the same line, or a few below in the same column."""
    if one.page != other.page:
        return False
    apart = abs(one.middle - other.middle)
    return apart < 4 or (apart < 5 * max(one.size, other.size) and abs(one.box[0] - other.box[0]) < 12)


def _largest(named: Named, away: set[int]) -> Cell | None:
    top = [
        cell
        for cell in named.sheet.cells
        if cell.page == 1 and cell.middle < 0.3 * named.sheet.pages[0].height and id(cell) not in away
        if is_like_name(TITLES.sub("", cell.text) or "1") and not is_value(cell.text)
        if not named.of(cell) or TITLES.sub("", cell.text) != cell.text
    ]
    best = max(top, key=lambda cell: cell.size, default=None)
    sizes = sorted(cell.size for cell in named.sheet.cells)
    return best if best is not None and best.size > 1.25 * sizes[len(sizes) // 2] else None


def is_value(text: str) -> bool:
    """Whether a text is an amount, a date or an address on the Internet, and so no name."""
    return bool(days_in(text) or amounts_in(text) or "@" in text or "www." in text.lower())
