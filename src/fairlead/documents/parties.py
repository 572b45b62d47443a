"""Who sends an invoice: names that stand where senders stand, held against domains, bank accounts and VAT numbers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import amounts_in
from fairlead.documents.dates import days_in
from fairlead.documents.identifiers import Identifier, domains
from fairlead.documents.layout import Cell, folded
from fairlead.documents.named import Named
from fairlead.documents.types import Field

_FORMS: Final = """
gmbh co kg, gmbh & co kg, gmbh, mbh, ag, kg, ohg, ug, e k, ek, gbr, e v, ltd, limited, plc, llp,
llc, inc, incorporated, corp, corporation, co, company, pty ltd, s a r l, sarl, s a s, sas, sasu,
eurl, s a, sa, snc, sprl, srl, s r l, s p a, spa, s n c, s a s di, b v, bv, n v, nv, v o f, vof, s
l, sl, s l u, slu, lda, ltda, sp z o o, sp j, sp k, s c, ab, a b, oy, oyj, aps, a s, as, asa, s r o,
sro, spol s r o, kft, zrt, bt, nyrt, sro, d o o, doo, sia, uab, ou, se
"""
_FORM_TOKENS: Final = sorted(
    {tuple(each.replace("&", " ").split()) for each in _FORMS.split(",")}, key=len, reverse=True
)
_FORM_WORDS: Final = frozenset("".join(each) for each in _FORM_TOKENS)
_JOINING: Final = frozenset(
    ["&", "+", "and", "und", "et", "en", "y", "e", "i", "de", "du", "la", "van", "von", "of", "the", "og", "och", "for"]
)
_MOST_WORDS: Final = 60
_WEIGHTS: Final = {"domain": 2.0, "label": 2.0, "proof": 1.5, "sender": 1.5, "footer": 1.0, "largest": 1.0, "form": 1.0}
_ENOUGH: Final = 3.0
_MARGIN: Final = 0.9
_PARTS: Final = re.compile(r"\s+[·•|–—-]\s+|\s*[·•|;]\s*|,\s+")
_TOP: Final = 0.25
_BOTTOM: Final = 0.82
_STRONG: Final = frozenset(("domain", "label", "footer", "proof", "sender"))
_LEAST_NAME: Final = 3


class _Candidate(Struct):
    """A name that may be the sender's, and what speaks for it."""

    text: str
    core: tuple[str, ...]
    cell: Cell
    speaks: set[str]


def buyers(named: Named) -> set[int]:
    """The ids of cells that tell whom the invoice is for: what stands below or beside such labels."""
    found: set[int] = set()
    for label in named.with_kind("buyer"):
        if (
            label.at
            or "seller" in label.kinds
            or (label.said in ("for", "an", "aan", "client", "customer") and label.rest)
        ):
            continue
        found.add(id(label.cell))
        right = named.sheet.right_of(label.cell)
        if right and not named.is_label(right[0]) and not label.rest:
            found.add(id(right[0]))
        found |= {
            id(each) for each in _column(named, label.cell, right[0] if right and id(right[0]) in found else label.cell)
        }
    return found


def _column(named: Named, label: Cell, cell: Cell) -> Iterator[Cell]:
    """The lines of an address below a label, up to the next label or a gap."""
    for _ in range(6):
        under = next(iter(named.sheet.below(cell, 1.6)), None)
        if under is None or (named.is_label(under) and _is_other(named, under)):
            return
        yield under
        cell = under


def supplier(named: Named, proofs: Sequence[Identifier], house: Iterable[str] = ()) -> Field | None:
    """The sender's name. Beyond doubt where things of different kinds speak for it, and for nobody else as much.
    `house` are names that are never it: one's own."""
    own = {core_of(each) for each in house}
    candidates = [each for each in _candidates(named, proofs) if each.core not in own]
    if not candidates:
        return _by_domain(named)
    ranked = sorted(candidates, key=lambda each: (_weight(each), len(each.core)), reverse=True)
    best, rest = ranked[0], ranked[1:]
    second = max((_weight(each) for each in rest), default=0)
    doubt = ""
    if _weight(best) < _ENOUGH or not best.speaks & _STRONG:
        doubt = "too little speaks for this name"
    elif second > _weight(best) - _MARGIN:
        doubt = f"it may be {rest[0].text} as well"
    confidence = min(0.98, 0.55 + 0.1 * _weight(best)) if not doubt else 0.45
    return Field(
        value=best.text, text=best.cell.text, page=best.cell.page, box=best.cell.box, confidence=confidence, doubt=doubt
    )


def _by_domain(named: Named) -> Field | None:
    """Where no name stands at all, that of the domain: enough to look for it, and never beyond doubt."""
    for cell in named.sheet.cells:
        for name in sorted(domains(cell)):
            doubt = "no name stands there, only an address on the Internet"
            return Field(value=name, text=cell.text, page=cell.page, box=cell.box, confidence=0.3, doubt=doubt)
    return None


def core_of(name: str) -> tuple[str, ...]:
    """A name's words without its legal form: how names are compared."""
    tokens = tuple(re.findall(r"[^\W_]+", folded(name)))
    for form in _FORM_TOKENS:
        if len(tokens) > len(form) and tokens[-len(form) :] == form:
            return tokens[: -len(form)]
    return tokens


def _weight(one: _Candidate) -> float:
    return sum(_WEIGHTS.get(each, 0.5) for each in one.speaks)


def _candidates(named: Named, proofs: Sequence[Identifier]) -> list[_Candidate]:
    away = buyers(named)
    stems = {name for cell in named.sheet.cells if id(cell) not in away for name in domains(cell)}
    near = [each.cell for each in proofs if id(each.cell) not in away]
    largest = _largest(named, away)
    found: dict[tuple[str, ...], _Candidate] = {}
    for text, cell, kind in _names(named, away, largest):
        core = core_of(text)
        if not core or sum(map(len, core)) < _LEAST_NAME or not any(each.isalpha() for each in "".join(core)):
            continue
        speaks = _speaks(text, core, cell, kind, named, stems, near)
        known = next((each for each in found.values() if _same(each.core, core)), None)
        if known is None:
            found[core] = _Candidate(text, core, cell, speaks)
            continue
        if cell.row != known.cell.row or cell.page != known.cell.page:
            known.speaks.add("again")
        if "form" in speaks and ("form" not in known.speaks or known.text.isupper() > text.isupper()):
            known.text, known.cell, known.core = text, cell, core
        known.speaks |= speaks
    return list(found.values())


def _names(named: Named, away: set[int], largest: Cell | None) -> Iterator[tuple[str, Cell, str]]:
    for label in named.with_kind("seller"):
        if label.at == 0 and id(label.cell) not in away:
            piece = next(iter(named.beside(label)), None)
            if piece is not None and id(piece.cell) not in away and not _is_value(piece.text):
                yield _PARTS.split(piece.text)[0], piece.cell, "label"
    for cell in named.sheet.cells:
        if id(cell) in away:
            continue
        for part in _PARTS.split(cell.text):
            if (name := _with_form(part)) is not None:
                yield name, cell, "form"
        if cell is largest:
            yield cell.text, cell, "largest"
        elif _is_plain_name(named, cell):
            yield cell.text, cell, ""


def _speaks(
    text: str, core: tuple[str, ...], cell: Cell, kind: str, named: Named, stems: set[str], near: list[Cell]
) -> set[str]:
    page = named.sheet.pages[cell.page - 1]
    speaks = {kind} if kind else set()
    if _with_form(text) is not None:
        speaks.add("form")
    if cell.page == 1 and cell.middle < _TOP * page.height:
        speaks.add("header")
        if cell.size < 8.5 and len(_PARTS.split(cell.text)) > 1:
            speaks.add("sender")
    if cell.middle > _BOTTOM * page.height:
        speaks.add("footer")
    if any(_of_domain(core, stem) for stem in stems):
        speaks.add("domain")
    if any(each.page == cell.page and _is_near(cell, each) for each in near):
        speaks.add("proof")
    return speaks


def _is_near(one: Cell, other: Cell) -> bool:
    """On the same line or a few below, in the same column."""
    apart = abs(one.middle - other.middle)
    return apart < 4 or (apart < 5 * max(one.size, other.size) and abs(one.box[0] - other.box[0]) < 12)


def _of_domain(core: tuple[str, ...], stem: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", stem)
    joined = "".join(core)
    if len(plain) < 4 or len(joined) < 4:
        return False
    initials = "".join(each[0] for each in core)
    return (
        plain in joined
        or joined in plain
        or (len(core) > 1 and core[0] in plain and len(core[0]) > 3)
        or initials == plain
    )


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short, long = sorted((one, other), key=len)
    return long[: len(short)] == short and sum(map(len, short)) >= 4


def _with_form(text: str) -> str | None:
    """The name that ends with a legal form, None where there is none: the words with capitals before it."""
    words = text.split()
    tokens = [re.sub(r"[^\w]", "", folded(word)) for word in words]
    for end in range(min(len(words), _MOST_WORDS), 1, -1):
        for start in range(max(1, end - 4), end):
            joined = "".join(tokens[start:end])
            if joined in _FORM_WORDS and _is_written_as_form(words[start:end]):
                first = start
                while first > 0 and start - first < 6 and _is_part_of_name(words[first - 1], last=first == start):
                    first -= 1
                while first < start and (not words[first][0].isupper() and not words[first][0].isdigit()):
                    first += 1
                return " ".join(words[first:end]).strip(" ,;:.()") + _point(words[end - 1]) if first < start else None
    return None


def _point(word: str) -> str:
    """The point that belongs to a form such as `Inc.`, but not the one that ends a sentence."""
    return "." if word.endswith(".") and folded(word) not in ("gmbh.", "ag.", "ltd.", "ab.", "llc.") else ""


def _is_part_of_name(word: str, *, last: bool) -> bool:
    if word[-1] in ":;!?" or (word[-1] == "," and not last) or "@" in word:
        return False
    return word[0].isupper() or word in _JOINING or (word[0].isdigit() and len(word) < 4)


def _is_written_as_form(words: Sequence[str]) -> bool:
    """Legal forms are written with a capital or with points: `as` and `co` in a sentence are none."""
    return any(letter.isupper() or letter == "." for word in words for letter in word)


def _is_plain_name(named: Named, cell: Cell) -> bool:
    page = named.sheet.pages[cell.page - 1]
    outer = cell.middle < _TOP * page.height or cell.middle > _BOTTOM * page.height
    words = cell.text.split()
    return (
        outer
        and 1 <= len(words) <= 5
        and not named.of(cell)
        and not _is_value(cell.text)
        and all(word[0].isupper() or not word[0].isalpha() or len(word) < 4 for word in words)
        and not any(letter.isdigit() for letter in cell.text)
    )


def _largest(named: Named, away: set[int]) -> Cell | None:
    top = [
        cell
        for cell in named.sheet.cells
        if cell.page == 1 and cell.middle < 0.3 * named.sheet.pages[0].height and id(cell) not in away
        if not named.of(cell) and not _is_value(cell.text) and any(each.isalpha() for each in cell.text)
    ]
    best = max(top, key=lambda cell: cell.size, default=None)
    sizes = sorted(cell.size for cell in named.sheet.cells)
    return best if best is not None and best.size > 1.25 * sizes[len(sizes) // 2] else None


def _is_value(text: str) -> bool:
    return bool(days_in(text) or amounts_in(text) or "@" in text or "www." in text.lower())


def _is_other(named: Named, cell: Cell) -> bool:
    return not named.of(cell)[0].kinds <= {"other", "heading"} or bool(named.of(cell)[0].rest)
