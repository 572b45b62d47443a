"""One look at a text for many patterns: which of them occur in it at all."""

import functools
from collections.abc import Iterable

import re2

from fairlead.errors import BadInput, Broken

_MEMORY = 128 << 20  # bytes
# RE2's set reports nothing at all where its automaton ran out of memory. A text that ends in a canary which then goes
# unseen was not scanned.
_CANARY = b"\x00\x01"


class Scan:
    """A set of RE2 patterns."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises BadInput where they are too much for one automaton."""
        scan, self._canary = _compiled((*patterns, "\\x00\\x01"), _MEMORY)
        self._match = scan.Match
        self._nothing = [self._canary]

    def hits(self, data: bytes) -> list[int]:
        """The indices of the patterns that occur. Raises Broken where the scan did not run to its end: a text that was
        not looked at counts as unsafe."""
        found: list[int] | None = self._match(data + _CANARY)
        if found == self._nothing:
            return []
        if found is None or self._canary not in found:
            raise Broken(
                "the scan for sensitive text did not run to its end",
                why="the detectors need more memory than they may use",
                mend="simplify the patterns under `detectors:` in rules/*.yaml",
                step="classify",
            )
        return sorted(index for index in found if index != self._canary)


@functools.lru_cache(maxsize=4)
def _compiled(patterns: tuple[str, ...], memory: int) -> tuple[re2.Set, int]:
    """The automaton of the patterns, and the index of the last. To compile it takes longer than the rest of a small
    workspace, and most revisions look for the same as the one before: they share it, with what it has learnt."""
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    scan, last = re2.Set.SearchSet(options), -1
    for each in patterns:
        last = scan.Add(each)
    try:
        scan.Compile()
    except re2.error:
        raise BadInput(
            "the detectors do not fit into one scan",
            why=f"their patterns together need more than {memory >> 20} MiB",
            mend="lower the upper bounds of repetitions in the patterns under `detectors:` in rules/*.yaml",
        ) from None
    return scan, last
