"""What a question or a statement asks of passages: its words by their rarity, names, numbers, and what would answer."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from fairlead.evidence.sentences import Likeness, Sentence, sentence_of
from fairlead.models.words import STOP_WORDS, stems

_LONGEST: Final = 2_000  # characters of a question that are read: its end
_MOST_WORDS: Final = 60

Wanted = Literal["number", "time", "person", "place", "other"]

NEGATION: Final = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|except|unlike|nothing|nobody)\b|n['’]t\b", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d[\d.,]*")
_NAME: Final = re.compile(r"(?<=[a-z,;:'’)\]\d] )[A-Z][\w'’-]+")
_CAPITAL: Final = re.compile(r"\b[A-Z][\w'’-]+")
_QUANTITY: Final = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred"
    r"|thousand|million|billion|half|third|quarter|dozen|several|both)\b",
    re.IGNORECASE,
)
_TIME: Final = re.compile(
    r"\b(?:1\d|20)\d\ds?\b|\b\d{1,2}(?:st|nd|rd|th) century\b|\b(?:January|February|March|April|May|June|July|August"
    r"|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b"
)
_MEASURED = "many|much|long|old|large|big|far|often|high|tall"
_PEOPLE = "person|man|woman|king|leader|author|group"
_PLACES = "country|city|place|state|region|continent|area|nation"
_WANTED: Final[tuple[tuple[Wanted, re.Pattern[str]], ...]] = (
    ("number", re.compile(rf"\bhow (?:{_MEASURED})\b|\bwhat (?:percent|number|amount|proportion)")),
    ("time", re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|century|day|month|decade|time)\b")),
    ("person", re.compile(rf"\bwho(?:m|se)?\b|\b(?:what|which) (?:{_PEOPLE})")),
    ("place", re.compile(rf"\bwhere\b|\b(?:what|which) (?:{_PLACES})")),
)


class Asked(Struct, frozen=True):
    """`weights` are of its stems: rare ones weigh more. `alike` are the words of the passages that stand for each."""

    sentence: Sentence
    lowered: str
    weights: Mapping[str, float]
    alike: Mapping[str, frozenset[str]]
    names: tuple[str, ...]
    numbers: frozenset[str]
    wanted: Wanted

    @property
    def whole(self) -> float:
        """The sum of all weights, 1 where there is none, so that it can be divided by."""
        return sum(self.weights.values()) or 1.0

    def hold(self, word: str, said: frozenset[str]) -> float:
        """How well a sentence with these words holds a word: 1 for the word itself, less for one that is about it."""
        if word in said:
            return 1.0
        return _ALIKE if not said.isdisjoint(self.alike[word]) else 0.0

    def share(self, said: frozenset[str]) -> float:
        """How much of what is asked stands in a sentence: 1 for all of it."""
        return sum(weight * self.hold(word, said) for word, weight in self.weights.items()) / self.whole


_ALIKE: Final = 0.75


def asked_of(text: str, sentences: Sequence[Sentence]) -> Asked:
    """Reads a question or a statement against the sentences that may hold it."""
    text = " ".join(text[-_LONGEST:].split())
    sentence = sentence_of(text)
    likeness = Likeness(sentences)
    stems_asked = list(dict.fromkeys(stem for stem in sentence.stems if stem))[:_MOST_WORDS]
    alike = {stem: likeness.same(stem) for stem in stems_asked}
    counts = dict.fromkeys(stems_asked, 0)
    for each in sentences:
        for stem in stems_asked:
            counts[stem] += not each.said.isdisjoint(alike[stem])
    weights = {stem: math.log(1 + len(sentences) / (count + 0.5)) for stem, count in counts.items()}
    names = tuple(dict.fromkeys(stem for name in _NAME.findall(text) for stem in stems(name) if stem in weights))
    lowered = text.lower()
    return Asked(sentence, lowered, weights, alike, names, numbers_in(text), _wanted(lowered))


def numbers_in(text: str) -> frozenset[str]:
    """The numbers of a text as they are written, without what sets off thousands."""
    return frozenset(each.rstrip(".,").replace(",", "") for each in _NUMBER.findall(text))


def fitting(wanted: Wanted, text: str, lowered: str) -> list[int]:
    """Where in a text something stands that could answer: a number, a time, a name that the question has not."""
    if wanted == "number":
        return [found.start() for found in _QUANTITY.finditer(text)]
    if wanted == "time":
        return [found.start() for found in _TIME.finditer(text) if found[0].lower() not in lowered]
    if wanted in ("person", "place"):
        named = ((found.start(), found[0].lower()) for found in _CAPITAL.finditer(text))
        return [start for start, name in named if name not in STOP_WORDS and name not in lowered]
    return []


def _wanted(lowered: str) -> Wanted:
    return next((kind for kind, pattern in _WANTED if pattern.search(lowered)), "other")
