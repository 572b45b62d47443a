"""A contract's text in clauses, however they are numbered, and its sentences, each where it stands.

Numbers are `1.`, `1)`, `1.2`, `(a)`, `A.1`, `IV`, `ii.`, `Article 3`, `Section 2`, `Clause 4:`, `§ 5`; headings may be
Markdown, bold, in capitals, or the first words of a paragraph. Nothing is reworded: clauses and sentences are slices.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.agreements.languages import is_foreign, language_of


class Clause(Struct, frozen=True, kw_only=True):
    """A paragraph with a number or a heading of its own. `heading` is its own, else that of the clause it is a part of,
    which `above` is in any case; `annex` is the schedule that it stands in; `start` and `end` are where its words stand
    in the contract, `line` counts from 1."""

    number: str
    heading: str
    text: str
    start: int
    end: int
    line: int
    above: str = ""
    annex: str = ""

    @property
    def place(self) -> str:
        """As people find it: `5.2 Liability (line 31)`."""
        return " ".join(filter(None, (self.number, self.heading, f"(line {self.line})")))


class Agreement(Struct, frozen=True, kw_only=True):
    """`language` is a code such as `en`, "" where it cannot be told; `type` nda, software, supply, services, other."""

    language: str
    type: str
    clauses: tuple[Clause, ...]


_WORD: Final = r"(?P<word>article|section|clause|paragraph|§)\s{0,3}"
_NUMERAL: Final = r"\d{1,3}(?:\.\d{1,3}){0,3}|[IVXLC]{1,6}(?:\.\d{1,3}){0,2}|[ivxlc]{1,6}|[A-Z](?:\.\d{1,3}){0,2}"
_NUMBERED: Final = re.compile(
    rf"(?:{_WORD})?(?:(?P<number>{_NUMERAL})|\((?P<part>[a-z]{{1,4}}|\d{{1,3}})\))(?P<mark>\s?[.):\u2013\u2014-])?(?:\s+|$)",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r"#{1,6}\s+(?P<rest>.+)")
_BOLD: Final = re.compile(r"\*\*(?P<bold>[^*]{2,120})\*\*\s*(?P<rest>.*)")
_CAPITALS: Final = re.compile(r"[A-Z][A-Z0-9 ,&/'’()-]{3,70}")
_ANNEX: Final = re.compile(
    r"(?:schedule|annex|appendix|exhibit|attachment)\b(?: [A-Z0-9]{1,4}\b)?(?:\W+\w[\w ,&/-]{0,60})?:?", re.IGNORECASE
)
_LEAD: Final = re.compile(r"(?P<title>[A-Z][^.:;]{1,60})[.:]\s+(?=\S)")
_RUN_IN: Final = re.compile(
    r"(?P<title>[A-Z][\w'’/-]+(?:,? (?:(?:and|or|of|the|to|for|in|by|on|with|&"
    r"|/) )*[A-Z(][\w'’/()-]*){0,6})[.:] +(?=[A-Z\"“])"
)
_REFERS: Final = re.compile(
    r"\b(?:clauses?|sections?|articles?|paragraphs?|schedules?|under|of|with|to|and|or)$", re.IGNORECASE
)
_LONGEST_TITLE: Final = 7  # words
_SAYS: Final = re.compile(r"\b(?:is|are|shall|may|must|will|has|have)\b|\d\s*(?:%|days?|months?|years?)", re.IGNORECASE)
_EDGES: Final = " .:*\u2013\u2014-"


def split(text: str) -> Agreement:
    """The clauses of a contract. What stands before the first is a clause without number and heading."""
    return Agreement(language=language_of(text), type=_type(text), clauses=tuple(_clauses(text)))


def _clauses(text: str) -> Iterator[Clause]:
    number = heading = above = annex = ""
    start, begun_at, top = 0, 1, 0
    at = 0
    lines = text.splitlines(keepends=True)
    for line, raw in enumerate(lines, 1):
        before, after = lines[line - 2].strip() if line > 1 else "", lines[line].strip() if line < len(lines) else ""
        found = None if _REFERS.search(before) else _opening(raw, top, before, after, first=line == 1)
        if found is None and not before and line > 1:
            found = _run_in(raw)
        if found is not None:
            clause = _clause(text, start, at, number, heading, above, begun_at)
            if clause is not None:
                yield replace(clause, annex=annex)
            number, heading = found.number, found.heading
            if not number and _ANNEX.fullmatch(heading):
                annex = heading
            if not found.deep:
                above = heading
                top = int(number) if number.isdigit() else top
            start, begun_at = at + found.offset, line
        at += len(raw)
    clause = _clause(text, start, at, number, heading, above, begun_at)
    if clause is not None:
        yield replace(clause, annex=annex)


def _clause(text: str, start: int, end: int, number: str, own: str, above: str, line: int) -> Clause | None:
    words = text[start:end]
    bare, heading = words.strip(), own or above
    if not bare and not (number and heading):
        return None
    start += len(words) - len(words.lstrip())
    return Clause(number=number, heading=heading, text=bare, start=start, end=start + len(bare), line=line, above=above)


class _Opening(Struct, frozen=True):
    """A line that opens a clause: where the words begin in it, and whether the clause is part of the one above."""

    number: str
    heading: str
    offset: int
    deep: bool


def _opening(raw: str, top: int, before: str, after: str, *, first: bool) -> _Opening | None:
    """What a line opens, between the line `before` and the line `after` it."""
    line = raw.rstrip("\r\n")
    indent, bare = len(line) - len(line.lstrip()), line.strip()
    if (heading := _HEADING.match(bare)) is not None:
        return _marked(heading["rest"], top, indent + len(bare), numbered=first)
    if (bold := _BOLD.match(bare)) is not None:
        return _marked(bold["bold"], top, indent + bold.start("rest"), numbered=True)
    found = _number(bare, top, sure=False)
    if found is not None:
        return _numbered(bare, indent, after, *found)
    goes_on = before.isupper() and not before.endswith((".", ";", ":")) and len(before.split()) > _LONGEST_TITLE
    if not first and not before and _ANNEX.fullmatch(bare) and len(bare.split()) <= _LONGEST_TITLE + 2:
        return _Opening("", bare.rstrip(":"), indent + len(bare), False)
    if not first and not goes_on and _CAPITALS.fullmatch(bare) and len(bare.split()) <= _LONGEST_TITLE:
        return _Opening("", bare, indent + len(bare), False)
    return None


def _run_in(raw: str) -> _Opening | None:
    """A paragraph without a number whose first words are its heading: `Governing Law. This Agreement ...`."""
    bare = raw.strip()
    found = _RUN_IN.match(bare)
    if found is None or _SAYS.search(found["title"]) or len(found["title"].split()) > _LONGEST_TITLE:
        return None
    if re.search(r"\b(?:Inc|Ltd|Co|Corp|LLC|LLP|No|Dr|Mr|Ms|St)$", found["title"]):
        return None
    return _Opening("", found["title"], raw.index(bare) + found.end(), False)


def _marked(inner: str, top: int, offset: int, *, numbered: bool) -> _Opening | None:
    """A heading of Markdown, or bold words. Without a number those are the contract's own title, or stressed."""
    inner = inner.strip("* ")
    found = _number(inner, top, sure=True)
    if found is None:
        return None if numbered else _Opening("", inner.strip(_EDGES), offset, False)
    return _Opening(found[0], inner[found[1] :].strip(_EDGES), offset, "." in found[0])


def _numbered(bare: str, indent: int, following: str, number: str, at: int, deep: bool) -> _Opening:
    """A line with a number. Words that go on in the `following` line are no heading: lines may be broken anywhere."""
    rest = bare[at:]
    if (bold := _BOLD.match(rest)) is not None and len(bold["bold"].split()) <= _LONGEST_TITLE:
        return _Opening(number, bold["bold"].strip(_EDGES), indent + at + bold.start("rest"), deep)
    title, lead = _title(rest), _LEAD.match(rest)
    if lead is not None and len(lead["title"].split()) <= _LONGEST_TITLE and not _SAYS.search(lead["title"]):
        return _Opening(number, lead["title"].strip(), indent + at + lead.end(), deep)
    says = following and (following[0].islower() or _SAYS.search(rest))
    if title == rest.rstrip(" .:") and not rest.endswith((".", ";", ",")) and not says:
        return _Opening(number, title, indent + len(bare), deep)
    return _Opening(number, "", indent + at, deep)


def _title(rest: str) -> str:
    return rest.rstrip(" .:") if len(rest.split()) <= _LONGEST_TITLE else ""


def _number(text: str, top: int, *, sure: bool) -> tuple[str, int, bool] | None:
    """The number that a line begins with, where its words begin, and whether it is a part of the clause above. `sure`
    is what stands in a heading: there anything that may be a number is one."""
    found = _NUMBERED.match(text)
    if found is None or (not sure and _is_reference(text, found)):
        return None
    if found["part"]:
        return (f"({found['part']})", found.end(), True) if found["part"].isalpha() or not top else None
    number, named = found["number"], bool(found["word"])
    marked, deep = bool(found["mark"]) or named, "." in found["number"]
    if number[0].isdigit():
        fits = _follows(number, top, text[found.end() : found.end() + 1], marked=marked) or named or sure
    else:
        fits = (marked or deep or (sure and len(number) > 1)) and (deep or named or _is_numeral(number))
    return (f"\u00a7 {number}" if found["word"] == "\u00a7" else number, found.end(), deep) if fits else None


def _is_reference(text: str, found: re.Match[str]) -> bool:
    """Whether a line goes on in the sentence that its number begins: `Clause 2 does not apply to orders of goods.`"""
    return bool(found["word"]) and not found["mark"] and text[found.end() : found.end() + 1].islower()


def _follows(number: str, top: int, following: str, *, marked: bool) -> bool:
    """Whether digits at the beginning of a line count clauses: they go on from the one before. A line that happens to
    begin with a number does not."""
    whole, deep = int(number.split(".", maxsplit=1)[0]), "." in number
    if deep:
        return whole <= top + 1
    plain = whole == top + 1 and (following.isupper() or following in ('"', "\u201c", "*"))
    return plain or (marked and whole <= top + 3)


def _is_numeral(number: str) -> bool:
    """Whether letters are a number: a Roman one, or a single capital (`A.`)."""
    return bool(re.fullmatch(r"[IVXLC]+|[ivxlc]+", number)) or (len(number) == 1 and number.isupper())


_END: Final = re.compile(r"(?<=[.;!?])[\"”’)]?\s+(?=[\"“(A-Z0-9])|\n\s*\n")
_ABBREVIATED: Final = re.compile(r"\b(?:p\.a|e\.g|i\.e|no|art|ltd|inc|approx|mr|ms|dr|vs|cf|[A-Z])\.\Z", re.IGNORECASE)


LONGEST_SENTENCE: Final = 4000
"""Letters of a sentence that is read in one piece; a longer one is read in parts, so that no text takes minutes."""


def sentences(clause: Clause) -> Iterator[tuple[int, str]]:
    """The sentences of a clause, each with where it begins in the contract; of one without end the parts."""
    for start, said in _sentences(clause):
        at = 0
        while len(said) - at > LONGEST_SENTENCE:
            end = max(said.rfind(" ", at, at + LONGEST_SENTENCE), at + LONGEST_SENTENCE // 2)
            yield start + at, said[at:end]
            at = end + (said[end] == " ")
        if said[at:].strip():
            yield start + at, said[at:]


def _sentences(clause: Clause) -> Iterator[tuple[int, str]]:
    start = 0
    for found in _END.finditer(clause.text):
        if _ABBREVIATED.search(clause.text[max(0, found.start() - 8) : found.start()]):
            continue
        if said := clause.text[start : found.start()].strip():
            yield clause.start + start, said
        start = found.end()
    if said := clause.text[start:].strip():
        yield clause.start + start, said


def is_in_another_language(clause: Clause) -> bool:
    """Whether a clause, or one of its sentences, is not in English."""
    return language_of(clause.text) not in ("en", "") or any(is_foreign(text) for _, text in sentences(clause))


def unbroken(text: str) -> str:
    """The words in one line: lines may be broken anywhere, in a PDF, and behind a hyphen."""
    return " ".join(re.sub(r"(?<=\w-)\s*\n\s*(?=[a-z])", "", text).split())


_SPECIAL: Final = re.compile(
    r"\b(?:special|particular|additional) (?:terms|conditions|provisions)|deviat|side letter", re.IGNORECASE
)


def is_special(clause: Clause) -> bool:
    """Whether its heading says that it changes what other clauses say."""
    return _SPECIAL.search(f"{clause.annex} {clause.above} {clause.heading}") is not None


_TYPES: Final = (
    ("nda", r"non-?disclosure|\bnda\b|confidentiality agreement"),
    ("software", r"software|\bsaas\b|subscription|cloud|hosting|licen[cs]e and support|platform agreement"),
    ("supply", r"supply|goods|purchase|manufactur|\bsale\b"),
    ("services", r"services|consult|engagement|advis|maintenance|transport"),
)


def _type(text: str) -> str:
    title = " ".join(text[:400].split("\n")[:3])
    for told in (title, text[:4000]):
        for name, pattern in _TYPES:
            if re.search(pattern, told, re.IGNORECASE):
                return name
    return "other"
