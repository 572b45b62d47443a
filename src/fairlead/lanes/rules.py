"""`lanes:` compiled: what limits an action of a caller and a task type, and with what share it waits."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.lanes.settings import DepartmentLaneSettings, LaneSettings, LanesSettings

EACH: Final = "*"
USUAL: Final = "usual"
_EVENLY: Final = DepartmentLaneSettings()


class LaneRules(Struct, frozen=True, kw_only=True):
    """The lanes of one revision. `slots` are the most calls at once to an endpoint, of each worker."""

    running: int | None
    lanes: Mapping[str, LaneSettings]
    by_task: Mapping[str, str]
    usual: str
    departments: Mapping[str, DepartmentLaneSettings]
    tasks: Mapping[str, int]
    slots: Mapping[str, int]

    def lane_of(self, task: str) -> str:
        """The lane of this task type's work."""
        return self.by_task.get(task, self.usual)

    def department(self, name: str) -> DepartmentLaneSettings:
        """What holds for a department."""
        return self.departments.get(name) or self.departments.get(EACH) or _EVENLY


def compile_lanes(settings: LanesSettings, slots: Mapping[str, int]) -> LaneRules | None:
    """None where nothing limits anything. Raises `BadInput` naming the key; whether there are such task types is for
    the caller to check."""
    lanes = dict(settings.names)
    by_task: dict[str, str] = {}
    for name, lane in lanes.items():
        if not name or not name.isprintable():
            raise BadInput(f"lanes.names: {name!r} is no fit name", mend="give the lane a short plain name")
        for number, task in enumerate(lane.tasks):
            if by_task.setdefault(task, name) != name:
                raise BadInput(
                    f"lanes.names.{name}.tasks[{number}]: `{task}` takes the lane {by_task[task]!r} already",
                    mend="name it in one lane",
                )
    if settings.usual and settings.usual not in lanes:
        raise BadInput(f"lanes.usual: there is no lane `{settings.usual}`", mend=closest(settings.usual, lanes))
    if not settings.usual and USUAL in lanes:
        raise BadInput(
            f"lanes.names.{USUAL}: this is the lane of task types that none names",
            mend=f"name the lane otherwise, or set `lanes.usual: {USUAL}`",
        )
    if settings == LanesSettings() and not slots:
        return None
    usual = settings.usual or USUAL
    lanes.setdefault(usual, LaneSettings())
    return LaneRules(
        running=settings.running,
        lanes=lanes,
        by_task=by_task,
        usual=usual,
        departments=settings.departments,
        tasks=settings.tasks,
        slots=slots,
    )
