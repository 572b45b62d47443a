"""Who sends an invoice: names that stand where senders stand, held against domains, registers, accounts and VAT
numbers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

from msgspec import Struct

from fairlead.documents.identifiers import Identifier, domains
from fairlead.documents.labels import Label
from fairlead.documents.layout import Cell, folded
from fairlead.documents.named import Named
from fairlead.documents.names import core_of, is_bank, is_form, is_like_name, same_name, with_form
from fairlead.documents.parties import block, is_in_window, section
from fairlead.documents.placeholders import is_placeholder
from fairlead.documents.types import Field
from fairlead.documents.witnesses import BOTTOM, PARTS, TITLES, TOP, Seen, is_value, seen_in, speaks_for

_WEIGHTS: Final = {
    "domain": 2.0,
    "label": 2.0,
    "proof": 1.5,
    "letterhead": 1.5,
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
_STRONG: Final = frozenset(("domain", "label", "footer", "proof", "letterhead", "sender", "mailbox"))
"""Without one of these no name is sure."""
_ENOUGH: Final = 3.0
_MARGIN: Final = 0.9
_APART: Final = re.compile(r"\s+[·•|–—-]\s+|\s*[·•|;]\s*")
_MADE_WITH: Final = re.compile(
    r"\W*(?:\(c\)|©|copyright\b|powered by\b|created (?:with|by)\b|generated (?:with|by)\b|made with\b|printed by\b"
    r"|erstellt (?:mit|durch)\b|gedruckt (?:mit|von)\b|cree (?:avec|par)\b|edite (?:avec|par)\b|gemaakt met\b"
    r"|creato con\b|creado con\b)"
)
"""Before the name of whoever made the program or the form."""
_KEYS: Final = frozenset(
    ("name", "nom", "naam", "nome", "nombre", "firma", "company", "company name", "denominazione", "razon social")
)
"""What a name is called in the lines about a party."""
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2,5}")
_SAYS_BIC: Final = re.compile(r"\b(?:bic|swift)\b", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=\w{3})\.\s")
_LEAST_NAME: Final = 3
_MOST_NAMES: Final = 3000


class _Candidate(Struct):
    """A name that may be the sender's, and what speaks for it. `windows` tells that it began a buyer's address."""

    text: str
    core: tuple[str, ...]
    cell: Cell
    speaks: set[str]
    windows: bool = False


def supplier(
    named: Named, ibans: Sequence[Identifier], vats: Sequence[Identifier], house: Iterable[str] = ()
) -> Field | None:
    """The sender's name. Beyond doubt where things of different kinds speak for it, and for nobody else as much.
    `house` are names that are never it: one's own."""
    seen = seen_in(named, ibans, vats)
    own = [core_of(each) for each in house] + _buyer_cores(seen)
    candidates = [
        each for each in _candidates(seen) if not any(each.core == core or same_name(each.core, core) for core in own)
    ]
    ranked = sorted(candidates, key=lambda each: (_weight(each), len(each.core)), reverse=True)
    names = [each for each in ranked if not is_placeholder(each.text)]
    if not names:
        return _by_domain(named)
    best, rest = names[0], names[1:]
    doubt = _doubt(best, rest)
    if best is not ranked[0] and not doubt:
        doubt = f"where the sender's name should stand, a template says {ranked[0].text}"
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
    rivals = (each for each in rest if "proof" in each.speaks and _weight(each) >= _ENOUGH)
    if rival := next((each for each in rivals if not _is_person_of(each, best)), None):
        return f"it may be {rival.text} as well, which has a register or an account of its own"
    if best.windows and not best.speaks & {"label", "proof"}:
        return "it stands where the address of whom an invoice is for stands"
    return ""


def _is_person_of(one: _Candidate, best: _Candidate) -> bool:
    """Whether a name without a legal form, or anything else of its own, stands by the register of a firm that all
    speaks for: whoever manages it."""
    own = {"form", "domain", "label", "mailbox", "letterhead", "sender", "largest", "first"}
    return not one.speaks & own and {"form", "domain", "proof"} <= best.speaks


def _weight(one: _Candidate) -> float:
    return sum(_WEIGHTS[each] for each in one.speaks)


def _by_domain(named: Named) -> Field | None:
    """Where no name stands at all, that of the domain: enough to look for it, and never beyond doubt."""
    for cell in named.sheet.cells:
        for name in sorted(domains(cell)):
            doubt = "no name stands there, only an address on the Internet"
            return Field(value=name, text=cell.text, page=cell.page, box=cell.box, confidence=0.3, doubt=doubt)
    return None


def _buyer_cores(seen: Seen) -> list[tuple[str, ...]]:
    """The names of whom the invoice is for, where a label says so."""
    found = []
    for cell in seen.named.sheet.cells:
        if id(cell) in seen.away:
            name = with_form(cell.text)
            if name is not None and not seen.named.is_label(cell):
                found.append(core_of(name))
    return found


def _candidates(seen: Seen) -> list[_Candidate]:
    found: dict[tuple[str, ...], _Candidate] = {}
    for text, cell, kind in islice(_names(seen), _MOST_NAMES):
        core = core_of(text)
        if (
            _is_bic(seen, text, cell)
            or not core
            or sum(map(len, core)) < _LEAST_NAME
            or not any(each.isalpha() for each in "".join(core))
        ):
            continue
        speaks = speaks_for(text, core, cell, kind, seen)
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


def _is_bic(seen: Seen, text: str, cell: Cell) -> bool:
    """Whether a text is a bank's code (ISO 9362, or one letter short as samples have them): its line says so."""
    line = " ".join(each.text for each in seen.named.sheet.line_of(cell))
    return _BIC.fullmatch(text) is not None and _SAYS_BIC.search(line) is not None


def _names(seen: Seen) -> Iterator[tuple[str, Cell, str]]:
    named = seen.named
    yield from _labelled(seen)
    for cell in named.sheet.cells:
        if id(cell) in seen.away or _MADE_WITH.match(folded(cell.text)):
            continue
        for part in dict.fromkeys([*_APART.split(cell.text), *PARTS.split(cell.text)]):
            if (name := with_form(part)) is not None and not is_bank(name):
                yield name, cell, "form"
                break
        if cell is seen.largest or cell is seen.first or _is_plain_name(named, cell):
            text = TITLES.sub("", cell.text)
            if text and is_like_name(text) and with_form(text) in (None, text):
                yield text, cell, "largest" if cell is seen.largest else ""


def _labelled(seen: Seen) -> Iterator[tuple[str, Cell, str]]:
    """What stands beside labels of senders, or beside `Name` in the lines below one."""
    named = seen.named
    for label in named.with_kind("seller"):
        if id(label.cell) in seen.away or "buyer" in label.kinds:
            continue
        lines = section(named, label)
        named_so = [
            other
            for cell, other in pairwise(lines)
            if " ".join(token for token, _, _ in cell.tokens) in _KEYS and cell.row == other.row
        ]
        if named_so:
            yield named_so[0].text, named_so[0], "label"
            continue
        if lines or (label.at and not label.rest):
            continue
        beside = [(piece.text, piece.cell) for piece in named.beside(label)]
        under = [(cell.text, cell) for cell in block(named.sheet, label.cell)[1:5] if not named.is_label(cell)]
        for said, cell in [*beside, *([] if label.rest else under)]:
            text = _SENTENCE.split(PARTS.split(said)[0])[0].strip(" :")
            if is_form(text) or (label.rest and " " not in label.said and not _ends_with_mark(label)):
                break  # the label is a name's first word
            if (
                id(cell) not in seen.away
                and not is_value(text)
                and (is_like_name(text) or with_form(text))
                and not is_bank(text)
            ):
                yield with_form(text) or text, cell, "label"
                break


def _ends_with_mark(label: Label) -> bool:
    """Whether a colon or the like stands between a label and what follows in its cell."""
    text = " ".join(word.text for word in label.cell.words)
    return re.search(r"[:=|–-]\s*" + re.escape(label.rest[0]), text) is not None


def _is_plain_name(named: Named, cell: Cell) -> bool:
    page = named.sheet.pages[cell.page - 1]
    outer = cell.middle < TOP * page.height or cell.middle > BOTTOM * page.height
    return outer and not named.of(cell) and not is_value(cell.text) and is_like_name(cell.text)
