"""Many numbers in one integer, each in a lane of its own: adding two such integers, or multiplying one by a number,
does so in all lanes at once, in C. A lane holds a whole number of 64 bits with a sign: who uses it keeps within that.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

BITS: Final = 64


class Lanes:
    """Packs and unpacks integers of so many lanes."""

    def __init__(self, count: int) -> None:
        self._struct = Struct(f"<{count}q")
        self._signs = sum(1 << (BITS * lane + BITS - 1) for lane in range(count))

    def packed(self, numbers: Sequence[int]) -> int:
        """So many numbers as one, so that adding two of these adds each lane by itself."""
        raw = int.from_bytes(self._struct.pack(*numbers), "little")
        return (raw ^ self._signs) - self._signs  # a lane below zero borrows from the next

    def unpacked(self, packed: int) -> tuple[int, ...]:
        """The numbers again."""
        raw = (packed + self._signs) ^ self._signs
        return self._struct.unpack(raw.to_bytes(self._struct.size, "little"))
