"""What a reader of one measure is handed, and what it gives back."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from msgspec import Struct

from fairlead.agreements.parties import Parties
from fairlead.agreements.quantities import Duration, digits, durations

NO_LIMIT: Final = 1_000_000.0
"""Stands for what nothing bounds."""


class Sentence(Struct, frozen=True, dict=True):
    """A sentence with the heading of its clause. `plain` has numbers in words as digits."""

    text: str
    heading: str
    type: str
    parties: Parties

    @property
    def plain(self) -> str:
        return digits(self.text)

    def has(self, pattern: str) -> bool:
        return pattern_of(pattern).search(self.text) is not None

    def headed(self, pattern: str) -> bool:
        return pattern_of(pattern).search(self.heading) is not None

    def about(self, pattern: str) -> bool:
        return self.has(pattern) or self.headed(pattern)

    def binds_us(self) -> bool:
        """Whether it speaks of both sides or of ours first."""
        return self.parties.who(self.text) in ("both", "ours")

    def binds_them(self) -> bool:
        return self.parties.who(self.text) in ("both", "theirs", "")


class Value(Struct, frozen=True):
    """A number, or a word; neither, and why not, where the rules cannot tell."""

    number: float | None = None
    word: str = ""
    why: str = ""


Read = Callable[[Sentence], Iterator[Value]]


@cache
def pattern_of(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NOTICE: Final = pattern_of(r"notice|notif|before|prior to|in advance|cancel")
_BEFORE: Final = pattern_of(r"(?:no(?:t)? (?:later|less|fewer) than|at least|upon|giving|on|with)\W*$")


def plain_durations(sentence: Sentence) -> list[tuple[Duration, bool]]:
    """The lengths of time of a sentence, each with whether it is a time of notice."""
    text = sentence.plain
    return [(each, _is_notice(text, each)) for each in durations(text)]


def _is_notice(text: str, found: Duration) -> bool:
    after = re.split(r"[,;.]|\b(?:and|unless|which)\b", text[found.end : found.end + 45])[0]
    if _NOTICE.search(after):
        return True
    before = text[max(0, found.start - 25) : found.start]
    return bool(_BEFORE.search(before)) and bool(_NOTICE.search(text[max(0, found.start - 60) : found.end + 60]))
