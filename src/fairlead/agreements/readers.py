"""What clauses say that can be held against preferred terms: measures, each with the rules by which it is read.

A rule reads a sentence, with the heading above it, and gives what it says, or that somebody has to look. What it
means beyond that is not understood. Words are English.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from fairlead.agreements.clauses import Clause, sentences, unbroken
from fairlead.agreements.duties import DUTIES
from fairlead.agreements.lasting import LASTING
from fairlead.agreements.liability import LIABILITY
from fairlead.agreements.parties import Parties
from fairlead.agreements.paying import PAYING
from fairlead.agreements.quantities import amounts
from fairlead.agreements.reading import Read, Sentence, Value
from fairlead.agreements.worded import WORDED

MEASURES: Final[Mapping[str, Read]] = {**PAYING, **LIABILITY, **LASTING, **DUTIES, **WORDED}
"""The rules by what they read: days, months, years (`confidentiality`), hours (`breach_notice`), percent of a year's
fees (`liability_cap`), percent, money (`insurance`), or words."""


class Said(Struct, frozen=True, kw_only=True):
    """What a contract says of one measure, and where. `number` is in the measure's unit, `word` for those without one;
    neither where the rules cannot tell, and `why`. `money` is a plain sum, where that is all that hinders. `quote` is
    the sentence, word by word."""

    measure: str
    number: float | None = None
    word: str = ""
    why: str = ""
    money: float | None = None
    quote: str
    clause: str
    place: str
    start: int


def read(clauses: Iterable[Clause], parties: Parties, type: str) -> list[Said]:
    """All that the rules find, in the order of the text; the same thing of a clause once."""
    found: list[Said] = []
    seen: set[tuple[str, str, float | None, str, float | None]] = set()
    for clause in clauses:
        for start, text in sentences(clause):
            sentence = Sentence(unbroken(text), clause.heading, type, parties, clause.above, clause.text)
            for measure, reader in MEASURES.items():
                for value in reader(sentence):
                    key = (measure, clause.place, value.number, value.word, value.money)
                    if key not in seen:
                        seen.add(key)
                        found.append(_said(measure, value, clause, text, start))
    return found


def _said(measure: str, value: Value, clause: Clause, text: str, start: int) -> Said:
    return Said(
        measure=measure, number=value.number, word=value.word, why=value.why, money=value.money, quote=text,
        clause=clause.number, place=clause.place, start=start,
    )  # fmt: skip


def annual_value(text: str) -> float | None:
    """What the contract is worth a year, as it says itself: the greatest amount that a sentence calls a year's."""
    found = [
        amount
        for line in text.split("\n")
        for part in line.split(". ")
        if _is_yearly(part)
        for amount, _ in amounts(part)
    ]
    return max(found, default=None)


def _is_yearly(part: str) -> bool:
    sentence = Sentence(part, "", "", Parties((), ()))
    return sentence.has(r"\b(?:a|per|each) year\b|\bannual|\byearly\b|per annum") and sentence.has(
        r"fee|charge|sum\b|purchases|turnover|cost|spend|price"
    ) and not sentence.has(r"liab|insur")  # fmt: skip
