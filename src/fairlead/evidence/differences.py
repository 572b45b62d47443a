"""What two sentences about the same thing say differently: a number of the same unit, a denial, an opposite word."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from fairlead.evidence.asked import NEGATION
from fairlead.evidence.sentences import Sentence
from fairlead.evidence.synonyms import OPPOSITES
from fairlead.models.words import stem_of

Difference = Literal["", "number", "denial", "opposite"]

_ALIKE: Final = 0.7  # of the words of both

_DIGIT: Final = re.compile(r"\d")
_COUNTED: Final = re.compile(
    r"([$€£]?)\s?(?<![\w.,-])(\d[\d,]*(?:\.\d+)?|[a-z]+)(?![\w-])(?:\s?(%)|(?=[\s-]+([a-z]+)))?", re.IGNORECASE
)
_SPELT: Final[Mapping[str, str]] = MappingProxyType(
    {
        word: str(number)
        for number, word in enumerate(
            """
            two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
            eighteen nineteen twenty
            """.split(),  # noqa: SIM905 a line of words reads better than a list of strings
            2,
        )
    }
)
_SPELT_STEMS: Final = frozenset(map(stem_of, _SPELT))
_CONDITION: Final = re.compile(
    r"\b(?:unless|except|until|only|other|if|when|before|after|either|should|than|from|between|without|limited)\b",
    re.IGNORECASE,
)


def difference(one: Sentence, other: Sentence) -> Difference:
    """How they differ, "" where nothing shows that they cannot both be true. They must be about the same thing."""
    if _numbers_differ(quantities(one.text), quantities(other.text)):
        return "number"
    if _conditions(one) != _conditions(other) or not _alike(one, other):
        return ""  # a condition may tell the two apart, and a denial in a longer sentence may be of something else
    opposed = _opposed(one, other)
    if len(NEGATION.findall(one.text)) % 2 != len(NEGATION.findall(other.text)) % 2:
        return "" if opposed else "denial"
    return "opposite" if opposed else ""


def subject(of: frozenset[str]) -> frozenset[str]:
    """The words by which sentences are about the same: no numbers, and none that another word excludes."""
    return frozenset(
        word for word in of if word not in OPPOSITES and word not in _SPELT_STEMS and not _DIGIT.search(word)
    )


def _alike(one: Sentence, other: Sentence) -> bool:
    """Whether they are said in nearly the same words."""
    mine, theirs = subject(one.said), subject(other.said)
    return len(mine & theirs) >= _ALIKE * len(mine | theirs)


def _conditions(of: Sentence) -> frozenset[str]:
    return frozenset(each.lower() for each in _CONDITION.findall(of.text))


def quantities(text: str) -> dict[str, set[str]]:
    """The numbers of a text by what they count: a unit, a currency, per cent; those that count nothing are left out."""
    found: dict[str, set[str]] = {}
    for unit, value in _quantities(text):
        found.setdefault(unit, set()).add(value)
    return found


def _quantities(text: str) -> Iterator[tuple[str, str]]:
    for sign, number, percent, word in _COUNTED.findall(text):
        value = _SPELT.get(number.lower(), number.replace(",", ""))
        unit = sign or percent or stem_of(word.lower())
        if value[0].isdigit() and unit:
            yield unit, value.rstrip("0").rstrip(".") if "." in value else value


def _numbers_differ(one: Mapping[str, set[str]], other: Mapping[str, set[str]]) -> bool:
    """One number each of a unit that both have, and not the same."""
    return any(
        len(values) == 1 and len(other.get(unit, ())) == 1 and values.isdisjoint(other[unit])
        for unit, values in one.items()
    )


def _opposed(one: Sentence, other: Sentence) -> bool:
    """A word of one that excludes a word of the other, where neither has both."""
    mine, theirs = one.folded, other.folded
    return any(
        word in OPPOSITES
        and word not in theirs
        and OPPOSITES[word].isdisjoint(mine)
        and not OPPOSITES[word].isdisjoint(theirs)
        for word in mine
    )
