"""Clauses by their whole numbers, and the places of a text that refer to them."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from fairlead.agreements.clauses import Clause, sentences, unbroken

_WORD: Final = r"(?:\b(?:clauses?|sections?|articles?|paragraphs?)\s+|\u00a7{1,2}\s*)"
_NUMERAL: Final = r"\d{1,3}(?:\.\d{1,3})*(?!\d)|(?-i:(?:[IVXLC]{1,6}|[A-Z])(?:\.\d{1,3})*|x{0,3}(?:i?[vx]|v?i{1,3}))\b"
_PARTS: Final = r"\s?\([a-z0-9]{1,4}\)"
_UNIT: Final = r"(?!\s*(?:%|per ?cent|(?:\w+ )?(?:hour|day|week|month|year|times)s?\b))"
_NUMBER: Final = rf"(?>(?:{_NUMERAL})(?:{_PARTS})*)"
_NEXT: Final = rf"(?:\s*,\s*(?:and\s|or\s)?|\s*(?:&|[-\u2013]|\b(?:and|or|to|through)\b))\s*(?:(?:to\s+)?{_WORD})?"
_LIST: Final = rf"(?P<numbers>{_NUMBER}(?:{_NEXT}{_NUMBER}{_UNIT})*)"
_EACH: Final = re.compile(rf"(?P<to>\b(?:to|through)\s+|[-\u2013]\s*)?(?P<number>{_NUMBER})(?=\W|$)", re.IGNORECASE)
_STATUTE: Final = re.compile(
    r"(?!\s+and\b)\s+(?:(?:of|under|in|to)\s+)?"
    r"(?:(?:the|that|said|such|of|for|on|and|(?-i:\(?[A-Z][\w.'\u2019()-]*)|\(\w+\)|\d[\d/]*),?\s+){0,8}?"
    r"(?-i:Act|Code|Regulations?|GDPR|Directive|Ordinance|Statute|BGB|HGB|UCC)\b",
    re.IGNORECASE,
)
"""What stands behind the number of a section, where it is one of a statute."""
_REFERENCE: Final = re.compile(rf"{_WORD}{_LIST}", re.IGNORECASE)
_FILLING: Final = (
    r"(?:(?:the|any|all|of|and|or|in|by|under|to|as|with|set out|set forth|stated|contained|specified|provided"
    r"|provisions?|terms|conditions|limits?|limitations?|exceptions?|exclusions?|restrictions?|requirements?|rest"
    r"|remainder|(?:in )?accordance|other|otherwise|this (?:clause|section|article))\s+){0,10}?"
)
_SUBJECT_TO: Final = re.compile(
    r"\b(?:subject,?(?: always| only| further)?,? to|(?:save|except) as (?:otherwise )?(?:provided|set out|set forth"
    rf"|stated|permitted|specified) (?:in|by))\s+{_FILLING}{_WORD}{_LIST}",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"\b(?:period|limit|cap|sum|amount|term|rate|percentage|time|figure)\b(?:(?!meaning|defin)[^.;]){0,40}"
    rf"\bin (?:{_WORD}{_LIST}|(?P<bare>(?>\d{{1,3}}(?:\.\d{{1,3}})+(?:{_PARTS})*|\d{{1,3}}(?:{_PARTS})+)){_UNIT})",
    re.IGNORECASE,
)
_FIRST: Final = frozenset({"a", "aa", "i", "1"})
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")


class Placed(Struct, frozen=True):
    """A clause with its whole number, and its sentences in one line each, with where they begin. The second part of
    clause 3 is `3(b)`; in a schedule numbers begin anew, and nobody means these by `clause 1`."""

    path: str
    clause: Clause
    sentences: tuple[tuple[int, str], ...]

    def under(self, number: str) -> bool:
        """Whether a reference to this number means the clause, or one that it is a part of."""
        return bool(self.path) and (self.path == number or self.path.startswith((f"{number}.", f"{number}(")))


def placed(clauses: Iterable[Clause]) -> Iterator[Placed]:
    """The clauses in their order."""
    above, parts = "", tuple[str, ...]()
    for each in clauses:
        number = each.number.removeprefix("\u00a7 ")
        if number.startswith("("):
            parts = _deeper(parts, number.strip("()"))
        else:
            above, parts = number, ()
        path = above + "".join(f"({part})" for part in parts)
        said = tuple((start, unbroken(text)) for start, text in sentences(each))
        yield Placed(" ".join(filter(None, (each.annex, path))), each, said)


def _deeper(parts: tuple[str, ...], part: str) -> tuple[str, ...]:
    """The parts that a new one stands in, and itself: it goes on from one of them, or begins anew below the last."""
    for depth in range(len(parts), 0, -1):
        if part in _following(parts[depth - 1]):
            return (*parts[: depth - 1], part)
    return (*parts, part) if part.lower() in _FIRST and part not in parts else (part,)


def _following(part: str) -> Iterator[str]:
    """What may come next after a part: `(j)` and `(ii)` after `(i)`."""
    if part.isdigit():
        yield str(int(part) + 1)
    elif len(set(part)) == 1:
        yield chr(ord(part[0]) + 1) * len(part)
    if part in _ROMAN[:-1]:
        yield _ROMAN[_ROMAN.index(part) + 1]


def referred(text: str) -> list[str]:
    """The numbers of the clauses that a text names, not of the sections of a statute."""
    return [*_numbers(_REFERENCE, text), *named(text)]


def named(text: str) -> list[str]:
    """The numbers of clauses of whose period, limit or sum a text speaks: `the period stated in clause 3(a) is`."""
    return _numbers(_NAMED, text)


def above(text: str) -> list[str]:
    """The numbers of the clauses that a text is subject to."""
    return _numbers(_SUBJECT_TO, text)


def _numbers(pattern: re.Pattern[str], text: str) -> list[str]:
    """Those of each list that a pattern finds; of `clauses 8 to 10` the ones between as well."""
    told: list[str] = []
    for found in pattern.finditer(text):
        if _STATUTE.match(text, found.end()):
            continue
        listed = found["numbers"] or found["bare"]
        for each in _EACH.finditer(listed):
            number = "".join(each["number"].split())
            if each["to"] and told and number.isdigit() and told[-1].isdigit():
                told += [str(between) for between in range(int(told[-1]) + 1, int(number))]
            told.append(number)
    return told


def levels(number: str) -> Iterator[str]:
    """A number, and those above it: `7.1(a)`, `7.1`, `7`."""
    while number:
        yield number
        number = number[: max(number.rfind("."), number.rfind("("), 0)]


def without(text: str) -> str:
    """The text without its references."""
    bare = _REFERENCE.sub(lambda found: found[0] if _STATUTE.match(text, found.end()) else "", text)
    return _NAMED.sub("", bare)
