"""Detectors: how one looks, the built-in ones compiled, and those of a workspace. They label, they never decide."""

import functools
from collections.abc import Iterable, Iterator

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.policy.detectors import catalogue, checksums
from fairlead.policy.detectors.checksums import Check
from fairlead.policy.patterns import Pattern, bounded
from fairlead.policy.settings import DetectorSetting


class Detector(Struct, frozen=True):
    """What it is called, the category it finds, and how it looks and checks.

    `hint` is a looser pattern that occurs wherever `pattern` does: the many-pattern scan looks for hints, so that its
    automaton stays small; "" means the pattern itself.
    """

    name: str
    category: str
    pattern: Pattern
    check: Check | None = None
    hint: str = ""

    def locate(self, data: bytes, start: int, before: int) -> tuple[list[tuple[int, int, int]], int]:
        """What begins at or after `start` and before `before` (byte offsets): (match's start, start, end) of each
        finding, and where to go on. Findings do not overlap; after a look-alike the search goes on one byte later."""
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
            low = self.pattern.after_escape(data, low)
            if self.check is not None:
                high = low + self._valid(data[low:high])
            if high > low:
                found.append((first, low, high))
                start = high
            else:
                start = first + 1

    def _valid(self, match: bytes) -> int:
        assert self.check is not None
        text = match.decode("utf-8", "replace")
        count = self.check(text)
        return len(text[:count].encode()) if count != len(text) else len(match)


@functools.cache
def built_in() -> tuple[Detector, ...]:
    """The detectors of Fairlead, compiled once in a process."""
    return tuple(
        Detector(name, category, Pattern(pattern), check, Pattern(hint).text if hint else "")
        for name, category, pattern, check, hint in catalogue.TABLE
    )


def own(settings: Iterable[DetectorSetting]) -> Iterator[Detector]:
    """A workspace's detectors. Raises BadInput naming the detector."""
    for each in settings:
        if each.checksum and each.checksum not in checksums.BY_NAME:
            raise BadInput(
                f"detector {each.name!r}: there is no checksum {each.checksum!r}",
                mend="use one of " + ", ".join(sorted(checksums.BY_NAME)),
            )
        pattern = bounded(each.pattern, f"detector {each.name!r}")
        yield Detector(each.name, each.category, pattern, checksums.BY_NAME.get(each.checksum))
