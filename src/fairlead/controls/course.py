"""The log's time: how it goes on from look to look, whatever the machines' clocks say. Pure.

What passes is counted by a machine's own steady count wherever there is one from an earlier look of the same start of
that machine, so that a wall clock that is wrong, or is put right, moves nothing. Only who has never looked before has
nothing but its wall clock; and where that tells of a pause, it watches for a while before it is believed.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

TRIAL: Final = 30_000  # milliseconds
_DRIFT: Final = 60_000  # by how much a wall clock may be off without being asked to wait
_REMEMBERED: Final = 16


class Look(Struct, frozen=True):
    """The log's time at a look, and what the machine's steady count was then, both in milliseconds. `wall` is None,
    but for one on trial: what the wall clock of the look before it said."""

    time: int
    count: int
    wall: int | None = None


class Course(Struct, frozen=True):
    """The log's time, the wall clock of who looked then, and the last look of each start of a machine (its era)."""

    time: int
    wall: int
    looks: Mapping[str, Look] = {}

    def shown(self, time: int) -> int:
        """A time of the log as the wall clock has it: milliseconds since 1970."""
        return time + self.wall - self.time

    def waits(self, era: str) -> bool:
        """Whether who looks is on trial, and should leave the log alone until that is over."""
        look = self.looks.get(era)
        return look is not None and look.wall is not None


def begun(era: str, wall: int, count: int) -> Course:
    """The first look of all."""
    return Course(wall, wall, {era: Look(wall, count)})


def advanced(before: Course, era: str, wall: int, count: int) -> Course:
    """The course at a look of this era. Its time never goes back."""
    look = before.looks.get(era)
    if look is None or count < look.count:
        passed = wall - before.wall
        if abs(passed) > _DRIFT:
            return replace(before, looks=_looks(before, era, Look(before.time, count, before.wall)))
        return _seen(before, before.time + passed, era, wall, count)
    steady = look.time + count - look.count
    if look.wall is None:
        return _seen(before, steady, era, wall, count)
    if any(each.time > look.time for name, each in before.looks.items() if name != era):
        return _seen(before, before.time, era, wall, count)  # another, who knows the time, has looked meanwhile
    if count - look.count < TRIAL:
        return before
    return _seen(before, max(steady, look.time + wall - look.wall), era, wall, count)


def _seen(before: Course, time: int, era: str, wall: int, count: int) -> Course:
    time = max(before.time, time)
    return Course(time, wall, _looks(before, era, Look(time, count)))


def _looks(before: Course, era: str, look: Look) -> Mapping[str, Look]:
    others = sorted((each for each in before.looks.items() if each[0] != era), key=lambda each: -each[1].time)
    return dict([(era, look), *others[: _REMEMBERED - 1]])
