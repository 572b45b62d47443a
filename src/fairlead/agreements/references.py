"""Clauses by their whole numbers, and the places of a text that refer to them."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from fairlead.agreements.clauses import Clause, sentences, unbroken

_WORD: Final = r"(?:clauses?|sections?|articles?|paragraphs?|\u00a7)\s*"
_NUMBER: Final = r"\d{1,3}(?:\.\d{1,3})*(?:\s?\([a-z0-9]{1,4}\))*"
_NO_STATUTE: Final = r"(?![^.;,]{0,40}\b(?:Act|Code|Regulations?|GDPR|Directive|Ordinance)\b)"
_REFERENCE: Final = re.compile(
    rf"{_WORD}(?P<one>{_NUMBER})(?:\s*(?:,|and|or|to)\s*(?P<two>{_NUMBER}))?{_NO_STATUTE}", re.IGNORECASE
)
_SUBJECT_TO: Final = re.compile(
    r"\b(?:subject to|(?:save|except) as (?:otherwise )?(?:provided|set out|set forth|stated|permitted|specified) "
    rf"(?:in|by))\s+{_WORD}(?P<number>{_NUMBER}){_NO_STATUTE}",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"\b(?:period|limit|cap|sum|amount|term|rate|percentage|time|figure)\b(?:(?!meaning|defin)[^.;]){0,40}"
    rf"\bin (?:{_WORD})?(?P<number>{_NUMBER})",
    re.IGNORECASE,
)


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
    above = ""
    for each in clauses:
        number = each.number.removeprefix("\u00a7 ")
        if not number.startswith("("):
            above = number
        path = above + number if number.startswith("(") else number
        said = tuple((start, unbroken(text)) for start, text in sentences(each))
        yield Placed(" ".join(filter(None, (each.annex, path))), each, said)


def referred(text: str) -> list[str]:
    """The numbers of the clauses that a text names, not of the sections of a statute."""
    found = [number for each in _REFERENCE.finditer(text) for number in each.groups() if number]
    return [number.replace(" ", "") for number in (*found, *named(text))]


def named(text: str) -> list[str]:
    """The numbers of clauses of whose period, limit or sum a text speaks: `the period stated in clause 3(a) is`."""
    return [each["number"].replace(" ", "") for each in _NAMED.finditer(text)]


def above(text: str) -> list[str]:
    """The numbers of the clauses that a text is subject to."""
    return [each["number"].replace(" ", "") for each in _SUBJECT_TO.finditer(text)]


def levels(number: str) -> Iterator[str]:
    """A number, and those above it: `7.1(a)`, `7.1`, `7`."""
    while number:
        yield number
        number = number[: max(number.rfind("."), number.rfind("("), 0)]


def without(text: str) -> str:
    """The text without its references."""
    return _NAMED.sub("", _REFERENCE.sub("", text))
