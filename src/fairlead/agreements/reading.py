"""What a reader of one measure is handed, and what it gives back."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from typing import Final

from msgspec import Struct

from fairlead.agreements.parties import Parties
from fairlead.agreements.quantities import Duration, digits, durations, percents

NO_LIMIT: Final = 1_000_000.0
"""Stands for what nothing bounds."""


class Sentence(Struct, frozen=True, dict=True):
    """A sentence with the heading of its clause, the heading `above` that, and the words of the whole "
    "`clause`. `plain` has numbers in words as digits."""

    text: str
    heading: str
    type: str
    parties: Parties
    above: str = ""
    clause: str = ""

    @cached_property
    def plain(self) -> str:
        return digits(self.text)

    def has(self, pattern: str) -> bool:
        """Whether the sentence itself says it. `pattern` is a regular expression; case does not count."""
        return pattern_of(pattern).search(self.text) is not None

    def headed(self, pattern: str) -> bool:
        """Whether the heading of its clause says it."""
        return pattern_of(pattern).search(self.heading) is not None

    def under(self, pattern: str) -> bool:
        """Whether its heading, or the one above that, says so."""
        return self.headed(pattern) or pattern_of(pattern).search(self.above) is not None

    def about(self, pattern: str) -> bool:
        """Whether it or its heading says it."""
        return self.has(pattern) or self.headed(pattern)

    def binds_us(self) -> bool:
        """Whether it speaks of both sides or of ours first."""
        return self.parties.who(self.text) in ("both", "ours")

    def binds_them(self) -> bool:
        """Whether it speaks of both sides, of theirs first, or of nobody by name."""
        return self.parties.who(self.text) in ("both", "theirs", "")


class Value(Struct, frozen=True):
    """A number, or a word; neither, and why not, where the rules cannot tell. `money` is a plain sum, which is a number
    of the measure's unit only beside a year's fees."""

    number: float | None = None
    word: str = ""
    why: str = ""
    money: float | None = None


Read = Callable[[Sentence], Iterator[Value]]


@cache
def pattern_of(pattern: str) -> re.Pattern[str]:
    """The compiled pattern, without regard to case; the same ones come again for every sentence."""
    return re.compile(pattern, re.IGNORECASE)


_PIECES: Final = pattern_of(r"[;:]\s|,\s|\b(?:and|but|otherwise|unless|which|with)\b")


def piece(text: str, at: int) -> str:
    """The part of a sentence around a place in it: up to the next comma, `and`, `unless`."""
    start = max((found.end() for found in _PIECES.finditer(text, 0, at)), default=0)
    following = _PIECES.search(text, at)
    return text[start : following.start() if following else len(text)]


def lengths(sentence: Sentence, units: str, *, aside: str, notice: bool | None = None) -> list[Duration]:
    """The lengths of time of a sentence in these units that are not of something else: `aside` says of which words in
    the same piece. With `notice` only times of notice, or none of these."""
    text = sentence.plain
    return [
        each
        for each, told in plain_durations(sentence)
        if each.unit in units.split()
        and (notice is None or told == notice)
        and not (aside and pattern_of(aside).search(piece(text, each.start)))
    ]


def shares(sentence: Sentence, *, aside: str = "") -> list[float]:
    """Likewise the shares in percent."""
    text = sentence.plain
    return [
        number for number, at in percents(text) if not (aside and pattern_of(aside).search(piece(text, at)))
    ]  # fmt: skip


def the_only(numbers: Iterable[float], unit: str) -> Iterator[Value]:
    """The number, where all are the same. Of several the rules cannot tell which one counts: a person can."""
    told = sorted({round(each, 2) for each in numbers})
    if len(told) == 1:
        yield Value(told[0])
    elif told:
        yield Value(why=f"it names several: {', '.join(f'{each:g}' for each in told)} {unit}")


_NOTICE: Final = pattern_of(r"notice|notif|before|prior to|in advance|cancel")
_BEFORE: Final = pattern_of(r"(?:no(?:t)? (?:later|less|fewer) than|at least|upon|giving|on|with)\W*$")


def plain_durations(sentence: Sentence) -> list[tuple[Duration, bool]]:
    """The lengths of time of a sentence, each with whether it is a time of notice."""
    text = sentence.plain
    return [(each, _is_notice(text, each)) for each in durations(text)]


def _is_notice(text: str, found: Duration) -> bool:
    if re.match(r"\W{0,2}(?:periods?|terms?)\b", text[found.end :], re.IGNORECASE):
        return False
    after = re.split(r"[,;.]|\b(?:and|unless|which)\b", text[found.end : found.end + 45])[0]
    if _NOTICE.search(after):
        return True
    before = text[max(0, found.start - 25) : found.start]
    return bool(_BEFORE.search(before)) and bool(_NOTICE.search(text[max(0, found.start - 60) : found.end + 60]))
