"""When runs begin by themselves: the moments of a schedule, and what is wrong with one. Pure.

A schedule speaks of times as people read them off a clock in its zone. What falls into the hour that is left out where
clocks are put forward begins as much later. Where they are put back an hour stands on the clock twice: a schedule that
names its hours means the first, one with `*` for the hour means both.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fairlead.errors import BadInput, closest
from fairlead.workflows.definition import Definition, ScheduleSettings
from fairlead.workflows.forms import Form
from fairlead.workflows.known import Fault, Known, Path

MOST_MISSED: Final = 100
_DAY: Final = 86_400_000  # milliseconds
_GRACE: Final = 60_000  # milliseconds for which a moment is not missed
_AROUND: Final = timedelta(hours=4)  # more than any zone has ever put its clocks
_NAMES: Final = ("jan feb mar apr may jun jul aug sep oct nov dec", "sun mon tue wed thu fri sat", "l")
_SOMETIME: Final = datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def moments(schedule: ScheduleSettings, after: int, until: int) -> list[int]:
    """Its moments after one and up to another, in milliseconds since 1970; of many, the last `MOST_MISSED`."""
    most, days = 366, 1  # nobody asks for more than the last few: they are looked for from the end
    while True:
        begin = max(after, until - days * _DAY)
        found = _between(schedule, begin, until)
        if begin == after or len(found) >= MOST_MISSED or days == most:
            return found[-MOST_MISSED:]
        days = min(most, days * 8)


def _between(schedule: ScheduleSettings, after: int, until: int) -> list[int]:
    zone = ZoneInfo(schedule.timezone)
    end = _wall(until, zone) + _AROUND
    found: set[int] = set()
    for wall in _walls(schedule.cron, _wall(after, zone) - _AROUND):
        if wall > end:
            break
        found.update(at for at in _instants(schedule.cron, wall, zone) if after < at <= until)
    return sorted(found)


def next_moment(schedule: ScheduleSettings, after: int) -> int:
    """The first one after this."""
    zone, found = ZoneInfo(schedule.timezone), list[int]()
    until: datetime | None = None
    for wall in _walls(schedule.cron, _wall(after, zone) - _AROUND):
        if until is not None and wall > until:
            break
        found += [at for at in _instants(schedule.cron, wall, zone) if at > after]
        if found and until is None:
            until = wall + _AROUND
    return min(found)


def chosen(schedule: ScheduleSettings, due: list[int], now: int) -> list[int]:
    """Which of the moments since the last look begin a run."""
    if schedule.missed == "all":
        return due
    if schedule.missed == "once":
        return due[-1:]
    return [at for at in due if now - at <= _GRACE]


def schedule_faults(definition: Definition, known: Known) -> Iterator[Fault]:
    """What is wrong with the schedules of a workflow."""
    seen: set[str] = set()
    for number, each in enumerate(definition.schedule):
        path: Path = ("schedule", number)
        if each.key not in known.keys:
            message = f"there is no key `{each.key}` in `keys:`"
            mend = closest(each.key, known.keys) or "declare one under `keys:` in fairlead.yaml: `fairlead key add`"
            yield Fault(path=(*path, "key"), message=message, mend=mend)
        if wrong := _wrong_zone(each.timezone):
            yield Fault(path=(*path, "timezone"), message=wrong, mend="a name such as Europe/Berlin, or UTC")
        if wrong := _wrong_cron(each.cron):
            mend = "minute hour day month weekday, such as `30 6 * * mon-fri`"
            yield Fault(path=(*path, "cron"), message=wrong, mend=mend)
        if wrong := _wrong_input(definition, each.input):
            yield Fault(
                path=(*path, "input"), message=f"the runs could not begin: {wrong}", mend="give what `input` asks"
            )
        if each.digest in seen:
            yield Fault(path=path, message="this schedule stands twice", mend="keep one of them")
        seen.add(each.digest)


def _wrong_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"there is no time zone `{name}`"
    return ""


def _wrong_cron(cron: str) -> str:
    from croniter import CroniterError, croniter

    words = "".join(each if each.isalpha() else " " for each in cron.lower()).split()
    if unknown := sorted(set(words) - set(" ".join(_NAMES).split())):
        return f"`{cron}` has {unknown[0]!r}, which is no month and no weekday"
    try:
        croniter(cron, _SOMETIME).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        never = "failed to find" in str(error)
        return f"`{cron}` never comes" if never else f"`{cron}` is no schedule: {error}"
    return ""


def _wrong_input(definition: Definition, given: dict[str, Any]) -> str:
    try:
        return Form({"type": "object", **definition.input}).taken(given)[1]
    except BadInput:
        return ""  # the schema itself is wrong, which is told of it


def _wall(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None)


def _walls(cron: str, begin: datetime) -> Iterator[datetime]:
    """What stands on the clock at its moments, later and later."""
    from croniter import CroniterBadDateError, croniter

    every = croniter(cron, begin)
    while True:
        try:
            yield every.get_next(datetime)
        except CroniterBadDateError:
            return


def _instants(cron: str, wall: datetime, zone: ZoneInfo) -> set[int]:
    folds = (0, 1) if cron.split()[1].startswith("*") else (0,)
    return {int(wall.replace(tzinfo=zone, fold=fold).timestamp() * 1000) for fold in folds}
