"""The parties of an invoice by where they stand: whom it is for, in a labelled block or in an envelope's window."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from fairlead.documents.amounts import amounts_in
from fairlead.documents.identifiers import domains
from fairlead.documents.labels import Label
from fairlead.documents.layout import Cell, Sheet, folded
from fairlead.documents.named import Named

_NEVER_BUYER: Final = frozenset(("for", "an", "aan", "client", "customer", "to"))
"""Buyers' labels that are common words: with a value in the same cell they name something else."""
_SECTION: Final = 12  # lines
_TOWN: Final = re.compile(
    r"\b(?:[A-Z]{1,2}-?\s?)?\d{4,5}(?:-\d{3,4})?\s?(?:[A-Z]{2}\s)?[^\W\d]|\b[A-Z]{1,2}\d{1,2}[A-Z]?\s\d[A-Z]{2}\b"
    r"|,?\s[A-Z]{2},?\s\d{5}\b"
)
_CONTACT: Final = re.compile(
    r"[\w.+-]+@[\w-]+\.|www\.|https?:|\+\d|\b(?:tel|fax|phone|telefon|telefono|iban|bic)\b", re.IGNORECASE
)
_REGISTER: Final = re.compile(
    r"\b(?:siren|siret|rcs|rsc|naf|ape|kvk|k v k|hrb|hra|handelsregister\w*"
    r"|registergericht|amtsgericht|geschaftsfuhrer\w*|company (?:no|number|reg\w*)|registered (?:in|office|no|number)"
    r"|reg(?:istration)? (?:no|nr|number)|siege social|capital|cif|cvr|org ?nr"
    r"|organisationsnummer|y tunnus|krs|regon|rea|ein|abn|acn|cin|ico|steuernummer"
    r"|steuer nr|st nr|tax id|c f|codice fiscale|ondernemingsnummer|registro mercantil|cegjegyzekszam)\b"
)
_TAX_ID: Final = re.compile(
    r"\b(?:nip|nif|nipc|contribuinte|trn|gstin|cnpj|cui|vkn|vergi dairesi|rfc|p iva|partita iva|c i f|dic|adoszam|uen"
    r"|(?:ust|mwst|vat|tva|btw|iva|moms|alv|gst|tax)(?: (?:reg|registration|id|intra\w*))* ?(?:id ?)?"
    r"(?:nr|no|number|nummer|num|numero))\b"
)
_WINDOW: Final = (0.08, 0.42)  # of the page's height
_LINE: Final = 2.4  # of a letter's size: a line further down is another block


def buyers(named: Named) -> set[int]:
    """The ids of cells that tell whom the invoice is for: what stands below or beside such labels."""
    found: set[int] = set()
    for label in named.with_kind("buyer"):
        if label.at or "seller" in label.kinds or (label.said in _NEVER_BUYER and label.rest):
            continue
        found.add(id(label.cell))
        right = named.sheet.right_of(label.cell)
        first = right[0] if right and not named.is_label(right[0]) and not label.rest else label.cell
        found.add(id(first))
        found |= {id(each) for each in _column(named, first)}
        found |= {id(each) for each in section(named, label)}
    return found


def _column(named: Named, cell: Cell) -> Iterator[Cell]:
    """The lines of an address below a cell, up to the next label or a gap."""
    for _ in range(6):
        under = next(iter(named.sheet.below(cell, 1.6)), None)
        if under is None or (named.is_label(under) and _is_other(named, under)):
            return
        yield under
        cell = under


def _is_other(named: Named, cell: Cell) -> bool:
    return not named.of(cell)[0].kinds <= {"other", "heading"} or bool(named.of(cell)[0].rest)


def section(named: Named, label: Label) -> list[Cell]:
    """The cells of the lines below a party's label, where they are pairs of a name and a value, as in `Name: ...`: up
    to the next label of a party, or a line that is no such pair."""
    if label.rest:
        return []
    found: list[Cell] = []
    left = label.cell.box[0]
    for line in islice(named.sheet.lines_below(label.cell), _SECTION):
        own = [cell for cell in line if abs(cell.box[0] - left) < 6]
        begins = named.of(own[0])[:1] if own else []
        if begins and begins[0].kinds & {"buyer", "seller"} and begins[0].at == 0 and not begins[0].rest:
            break
        pair = own and len(line) > 1 and own[0] is line[0] and own[0].text.endswith(":")
        if not pair and not (found and not own):
            break
        found += line
    return found


def is_register(text: str) -> bool:
    """Whether a text speaks of a firm's own register, capital or tax office, as footers do."""
    plain = re.sub(r"[^\w]+", " ", folded(re.sub(r"(?<=\b\w)\.(?=\w\b)", " ", text)))
    return _REGISTER.search(plain) is not None


def is_taxed(text: str) -> bool:
    """Whether a text speaks of the number under which somebody pays taxes."""
    return _TAX_ID.search(re.sub(r"[^\w]+", " ", folded(text))) is not None


def block(sheet: Sheet, cell: Cell, reach: float = _LINE) -> list[Cell]:
    """The cells under one another at its left, right or middle, itself the first, as far as lines follow closely."""
    found = [cell]
    for line in sheet.lines_below(cell):
        last = found[-1]
        if line[0].box[1] - last.box[3] > reach * max(last.size, cell.size):
            break
        under = [each for each in line if _is_aligned(cell, each)]
        if any(each not in under and any(one.cents for one in amounts_in(each.text)) for each in line):
            break  # a table of what was bought
        found += under[:1]
        if len(found) > _SECTION:
            break
    return found


def _is_aligned(one: Cell, other: Cell) -> bool:
    return (
        abs(one.box[0] - other.box[0]) < 5
        or abs(one.box[2] - other.box[2]) < 3
        or abs(one.box[0] + one.box[2] - other.box[0] - other.box[2]) < 8
    )


def is_in_window(sheet: Sheet, cell: Cell) -> bool:
    """Whether a name begins an address as envelopes show it: a few lines with a town among them, and nothing that
    senders tell of themselves. Then it is likely whom the invoice is for."""
    height = sheet.pages[cell.page - 1].height
    if cell.page != 1 or not _WINDOW[0] * height < cell.middle < _WINDOW[1] * height:
        return False
    lines = [each.text for each in block(sheet, cell, 1.2)][:7]
    return (
        len(lines) > 1
        and any(_TOWN.search(text) for text in lines[1:])
        and not any(is_contact(text) or is_register(text) for text in lines)
    )


def is_contact(text: str) -> bool:
    """Whether a text tells how to reach somebody."""
    return _CONTACT.search(text) is not None


def own_domains(sheet: Sheet, away: set[int]) -> set[str]:
    """The names of the domains that a document speaks of, those of its buyer aside."""
    return {name for cell in sheet.cells if id(cell) not in away for name in domains(cell)}
