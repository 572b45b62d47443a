"""Detectors: how one looks, and the built-in ones compiled. They label, they never decide."""

import functools
import re

from msgspec import Struct

from fairlead.policy.detectors import catalogue
from fairlead.policy.detectors.entry import Check
from fairlead.policy.patterns import Pattern


class Detector(Struct, frozen=True):
    """What it is called, the category it finds, and how it looks and checks.

    `hint` is a looser pattern that occurs wherever `pattern` does: the many-pattern scan looks for hints, so that its
    automaton stays small; "" means the pattern itself. Where `veto` occurs between the beginning of a match and its
    value, the match is none.
    """

    name: str
    category: str
    pattern: Pattern
    check: Check | None = None
    hint: str = ""
    veto: re.Pattern[bytes] | None = None

    def locate(self, data: bytes, start: int, before: int) -> tuple[list[tuple[int, int, int]], int]:
        """What begins at or after `start` and before `before` (byte offsets): (match's start, start, end) of each
        finding, and where to go on. Findings do not overlap; after a look-alike the search goes on one byte later, or
        behind it where it may have any length."""
        found: list[tuple[int, int, int]] = []
        matcher = self.pattern.matcher
        while True:
            spans = matcher.spans(data, start)
            first, last = spans[0]
            if first < 0 or first >= before:
                return found, max(start, before)
            low, high = spans[matcher.value_group] if matcher.value_group else spans[0]
            if low < 0:
                low, high = first, last
            if self.veto is not None and self.veto.search(data, first, low):
                start = last
                continue
            low = self.pattern.after_escape(data, low)
            if self.check is not None:
                high = low + self._valid(data[low:high])
            if high > low:
                found.append((first, low, high))
                start = high
            else:
                # Within a match without an upper bound it would be looked at again from each of its characters.
                start = first + 1 if self.pattern.bounded else last

    def _valid(self, match: bytes) -> int:
        assert self.check is not None
        text = match.decode("utf-8", "replace")
        count = self.check(text)
        return len(text[:count].encode()) if count != len(text) else len(match)


@functools.cache
def built_in() -> tuple[Detector, ...]:
    """The detectors of Fairlead, compiled once in a process."""
    return tuple(
        Detector(
            each.name,
            each.category,
            Pattern(each.pattern),
            each.check,
            Pattern(each.hint).text if each.hint else "",
            re.compile(each.veto.encode(), re.IGNORECASE) if each.veto else None,
        )
        for each in catalogue.ENTRIES
    )
