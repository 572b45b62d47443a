"""Who sends an invoice: names that stand where senders stand, held against domains, registers, accounts and VAT
numbers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import amounts_in
from fairlead.documents.dates import days_in
from fairlead.documents.identifiers import Identifier, domains
from fairlead.documents.layout import Cell, folded
from fairlead.documents.named import Named
from fairlead.documents.names import core_of, is_bank, is_form, is_like_name, is_of_domain, same_name, with_form
from fairlead.documents.parties import block, buyers, is_in_window, is_register, own_domains, section
from fairlead.documents.types import Field

_WEIGHTS: Final = {
    "domain": 2.0,
    "label": 2.0,
    "proof": 1.5,
    "sender": 1.5,
    "mailbox": 1.5,
    "footer": 1.0,
    "largest": 1.0,
    "first": 1.0,
    "form": 1.0,
    "vat": 1.0,
    "header": 0.5,
    "again": 0.5,
}
"""What speaks for a name, and how much."""
_STRONG: Final = frozenset(("domain", "label", "footer", "proof", "sender", "mailbox"))
"""Without one of these no name is sure."""
_ENOUGH: Final = 3.0
_MARGIN: Final = 0.9
_APART: Final = re.compile(r"\s+[·•|–—-]\s+|\s*[·•|;]\s*")
_PARTS: Final = re.compile(r"\s+[·•|–—-]\s+|\s*[·•|;]\s*|,\s+")
_TITLES: Final = re.compile(r"\s*\b(?:invoice|rechnung|facture|factuur|factura|fattura|fatura|faktura|receipt|bill|tax invoice)\W*$", re.IGNORECASE)
_KEYS: Final = frozenset(("name", "nom", "naam", "nome", "nombre", "firma", "company", "company name", "denominazione", "razon social", "raison sociale", "nazwa", "namn", "navn"))
_MAILBOX: Final = re.compile(r"([\w.+-]+)@")
_TOP: Final = 0.25
_BOTTOM: Final = 0.82
_SMALL: Final = 8.5  # points: the sender's line above an address
_LEAST_NAME: Final = 3


class _Candidate(Struct):
    """A name that may be the sender's, and what speaks for it. `windows` tells that it began a buyer's address."""

    text: str
    core: tuple[str, ...]
    cell: Cell
    speaks: set[str]
    windows: bool = False


class _Seen(Struct, frozen=True):
    """What of a document is held against names."""

    named: Named
    away: set[int]
    stems: set[str]
    accounts: list[Cell]
    vats: list[Cell]
    largest: Cell | None
    first: Cell | None


def supplier(
    named: Named, ibans: Sequence[Identifier], vats: Sequence[Identifier], house: Iterable[str] = ()
) -> Field | None:
    """The sender's name. Beyond doubt where things of different kinds speak for it, and for nobody else as much.
    `house` are names that are never it: one's own."""
    seen = _seen(named, ibans, vats)
    own = [core_of(each) for each in house] + _buyer_cores(seen)
    candidates = [
        each for each in _candidates(seen) if not any(each.core == core or same_name(each.core, core) for core in own)
    ]
    if not candidates:
        return _by_domain(named)
    ranked = sorted(candidates, key=lambda each: (_weight(each), len(each.core)), reverse=True)
    best, rest = ranked[0], ranked[1:]
    doubt = _doubt(best, rest)
    confidence = min(0.98, 0.55 + 0.1 * _weight(best)) if not doubt else 0.45
    return Field(
        value=best.text, text=best.cell.text, page=best.cell.page, box=best.cell.box, confidence=confidence, doubt=doubt
    )


def _doubt(best: _Candidate, rest: Sequence[_Candidate]) -> str:
    second = max((_weight(each) for each in rest), default=0)
    if _weight(best) < _ENOUGH or not best.speaks & _STRONG:
        return "too little speaks for this name"
    if second > _weight(best) - _MARGIN:
        return f"it may be {rest[0].text} as well"
    if best.windows and not best.speaks & {"label", "proof"}:
        return "it stands where the address of whom an invoice is for stands"
    return ""


def _weight(one: _Candidate) -> float:
    return sum(_WEIGHTS[each] for each in one.speaks)


def _by_domain(named: Named) -> Field | None:
    """Where no name stands at all, that of the domain: enough to look for it, and never beyond doubt."""
    for cell in named.sheet.cells:
        for name in sorted(domains(cell)):
            doubt = "no name stands there, only an address on the Internet"
            return Field(value=name, text=cell.text, page=cell.page, box=cell.box, confidence=0.3, doubt=doubt)
    return None


def _seen(named: Named, ibans: Sequence[Identifier], vats: Sequence[Identifier]) -> _Seen:
    away = buyers(named)
    cells = named.sheet.cells
    registers = [cell for cell in cells if id(cell) not in away and is_register(cell.text)]
    accounts = [each.cell for each in ibans if id(each.cell) not in away]
    return _Seen(
        named,
        away,
        own_domains(named.sheet, away),
        [*registers, *accounts],
        [each.cell for each in vats if id(each.cell) not in away],
        _largest(named, away),
        next((cell for cell in cells if id(cell) not in away and not named.of(cell) and is_like_name(cell.text)), None)
        if cells
        else None,
    )


def _buyer_cores(seen: _Seen) -> list[tuple[str, ...]]:
    """The names of whom the invoice is for, where a label says so."""
    found = []
    for cell in seen.named.sheet.cells:
        if id(cell) in seen.away:
            name = with_form(cell.text)
            if name is not None and not seen.named.is_label(cell):
                found.append(core_of(name))
    return found


def _candidates(seen: _Seen) -> list[_Candidate]:
    found: dict[tuple[str, ...], _Candidate] = {}
    for text, cell, kind in _names(seen):
        core = core_of(text)
        if not core or sum(map(len, core)) < _LEAST_NAME or not any(each.isalpha() for each in "".join(core)):
            continue
        speaks = _speaks(text, core, cell, kind, seen)
        windows = is_in_window(seen.named.sheet, cell) and "sender" not in speaks
        known = next((each for each in found.values() if same_name(each.core, core)), None)
        if known is None:
            found[core] = _Candidate(text, core, cell, speaks, windows)
            continue
        if cell.row != known.cell.row or cell.page != known.cell.page:
            known.speaks.add("again")
        if "form" in speaks and ("form" not in known.speaks or known.text.isupper() > text.isupper()):
            known.text, known.cell, known.core = text, cell, core
        known.speaks |= speaks
        known.windows |= windows
    return list(found.values())


def _names(seen: _Seen) -> Iterator[tuple[str, Cell, str]]:
    named = seen.named
    yield from _labelled(seen)
    for cell in named.sheet.cells:
        if id(cell) in seen.away:
            continue
        for part in dict.fromkeys([*_APART.split(cell.text), *_PARTS.split(cell.text)]):
            if (name := with_form(part)) is not None and not is_bank(name):
                yield name, cell, "form"
                break
        if cell is seen.largest or cell is seen.first or _is_plain_name(named, cell):
            text = _TITLES.sub("", cell.text)
            if text and is_like_name(text) and with_form(text) in (None, text):
                yield text, cell, "largest" if cell is seen.largest else ""


def _labelled(seen: _Seen) -> Iterator[tuple[str, Cell, str]]:
    """What stands beside labels of senders, or beside `Name` in the lines below one."""
    named = seen.named
    for label in named.with_kind("seller"):
        if id(label.cell) in seen.away or "buyer" in label.kinds:
            continue
        lines = section(named, label)
        named_so = [
            other
            for cell, other in zip(lines, lines[1:], strict=False)
            if " ".join(token for token, _, _ in cell.tokens) in _KEYS and cell.row == other.row
        ]
        if named_so:
            yield named_so[0].text, named_so[0], "label"
            continue
        if lines or (label.at and not label.rest):
            continue
        beside = [(piece.text, piece.cell) for piece in named.beside(label)]
        under = [(cell.text, cell) for cell in block(named.sheet, label.cell)[1:5] if not named.is_label(cell)]
        for text, cell in [*beside, *([] if label.rest else under)]:
            text = _PARTS.split(text)[0].strip(" :")
            if is_form(text):
                break  # the label is the name's first word
            if id(cell) not in seen.away and not _is_value(text) and (is_like_name(text) or with_form(text)) and not is_bank(text):
                yield with_form(text) or text, cell, "label"
                break


def _speaks(text: str, core: tuple[str, ...], cell: Cell, kind: str, seen: _Seen) -> set[str]:
    page = seen.named.sheet.pages[cell.page - 1]
    speaks = {kind} if kind else set()
    if with_form(text) is not None:
        speaks.add("form")
    if cell is seen.first:
        speaks.add("first")
    if cell.page == 1 and cell.middle < _TOP * page.height:
        speaks.add("header")
        if cell.size < _SMALL and len(_PARTS.split(cell.text)) > 1:
            speaks.add("sender")
    if cell.middle > _BOTTOM * page.height:
        speaks.add("footer")
    if any(is_of_domain(core, stem) for stem in seen.stems):
        speaks.add("domain")
    near = {id(each) for each in block(seen.named.sheet, cell)}
    if any(id(each) in near or _is_near(cell, each) for each in seen.accounts):
        speaks.add("proof")
    if any(id(each) in near or _is_near(cell, each) for each in seen.vats):
        speaks.add("vat")
    if any(_is_own_mailbox(core, each) for each in block(seen.named.sheet, cell)):
        speaks.add("mailbox")
    return speaks


def _is_own_mailbox(core: tuple[str, ...], cell: Cell) -> bool:
    """Whether an address before whose @ a word of the name stands, as a sole trader's."""
    return any(
        len(word) >= 5 and word in folded(box) for box in _MAILBOX.findall(cell.text) for word in core
    )


def _is_near(one: Cell, other: Cell) -> bool:
    """On the same line, or a few below in the same column."""
    if one.page != other.page:
        return False
    apart = abs(one.middle - other.middle)
    return apart < 4 or (apart < 5 * max(one.size, other.size) and abs(one.box[0] - other.box[0]) < 12)


def _is_plain_name(named: Named, cell: Cell) -> bool:
    page = named.sheet.pages[cell.page - 1]
    outer = cell.middle < _TOP * page.height or cell.middle > _BOTTOM * page.height
    return outer and not named.of(cell) and not _is_value(cell.text) and is_like_name(cell.text)


def _largest(named: Named, away: set[int]) -> Cell | None:
    top = [
        cell
        for cell in named.sheet.cells
        if cell.page == 1 and cell.middle < 0.3 * named.sheet.pages[0].height and id(cell) not in away
        if is_like_name(_TITLES.sub("", cell.text) or "1") and not _is_value(cell.text)
        if not named.of(cell) or _TITLES.sub("", cell.text) != cell.text
    ]
    best = max(top, key=lambda cell: cell.size, default=None)
    sizes = sorted(cell.size for cell in named.sheet.cells)
    return best if best is not None and best.size > 1.25 * sizes[len(sizes) // 2] else None


def _is_value(text: str) -> bool:
    return bool(days_in(text) or amounts_in(text) or "@" in text or "www." in text.lower())
