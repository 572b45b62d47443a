"""Text that does not run as its page does: small print along a margin, a stamp across it. Each stays by itself, as
words of a sentence are no stamp."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from fairlead.documents.types import Letter, Run

SLANT: Final = 10.0
"""Degrees that letters of one line may stand off one another."""

_ALIKE: Final = 1.25  # times as large, at most
_GAP: Final = 6.0  # of a letter's size, from one to the next: letters of a stamp are often set far apart
_LEADING: Final = 2.5  # of a letter's size, from one line to the next
_SAME_LINE: Final = 0.5  # of a letter's size
_LONGEST: Final = 2000  # letters
_BREAK: Final = Letter(" ", None, 0.0)


def runs(letters: Iterable[Letter]) -> tuple[Run, ...]:
    """Letters in the order of the file, parted where the next one is of another size, runs another way, or stands
    elsewhere. Lines under one another are one run."""
    found: list[list[Letter]] = []
    last: Letter | None = None
    for each in letters:
        if each.box is None:
            if found:
                found[-1].append(each)
            continue
        along, off = _moved(last, each) if last is not None else (0.0, 0.0)
        if last is None or not _goes_on(last, each, along, off):
            found.append([])
        elif off > _SAME_LINE:
            found[-1].append(_BREAK)
        found[-1].append(each)
        last = each
    return tuple(_run(each) for each in found)


def is_turned(angle: float, other: float) -> bool:
    """Whether two angles, in degrees, are not those of one line."""
    return abs((angle - other + 180) % 360 - 180) >= SLANT


def _goes_on(last: Letter, each: Letter, along: float, off: float) -> bool:
    if is_turned(last.angle, each.angle) or max(last.size, each.size) > _ALIKE * min(last.size, each.size):
        return False
    return -_SAME_LINE < along < _GAP if off <= _SAME_LINE else off < _LEADING and along < _GAP


def _moved(last: Letter, each: Letter) -> tuple[float, float]:
    """How far the next letter's middle stands along the line, and off it, in sizes of a letter."""
    assert last.box is not None
    assert each.box is not None
    x = (each.box[0] + each.box[2] - last.box[0] - last.box[2]) / 2
    y = (each.box[1] + each.box[3] - last.box[1] - last.box[3]) / 2
    cos, sin = math.cos(math.radians(last.angle)), math.sin(math.radians(last.angle))
    size = max(min(last.size, each.size), 0.1)
    return (x * cos + y * sin) / size, abs(y * cos - x * sin) / size


def _run(letters: Sequence[Letter]) -> Run:
    text = "".join(each.text for each in letters)[:_LONGEST]
    parted = "".join(each.text or " " for each in letters)[:_LONGEST]
    size = max(each.size for each in letters if each.box)
    return Run(" ".join(text.split()), " ".join(parted.split()), round(size, 1))
