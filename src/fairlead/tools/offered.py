"""The systems of a deployment: every tool by the name that callers know, and the driver of each system."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.errors import NotFound, closest
from fairlead.tools.arguments import Checker
from fairlead.tools.at_once import AtOnce
from fairlead.tools.systems import System
from fairlead.tools.types import SystemDriver, Tool


@dataclass(frozen=True, kw_only=True, slots=True)
class Systems:
    """What can be called. `tools` are by `system.tool`, `checkers` know what their arguments must be.
    `places` let as many calls of a system go on as may."""

    systems: Mapping[str, System]
    drivers: Mapping[str, SystemDriver]
    tools: Mapping[str, Tool]
    checkers: Mapping[str, Checker]
    places: Mapping[str, AtOnce]

    def tool(self, name: str) -> tuple[System, Tool]:
        """Raises `NotFound`."""
        tool = self.tools.get(name)
        if tool is None:
            raise NotFound(
                f"there is no tool {name!r}",
                why="no system of this workspace offers it under this name, or nobody has accepted it yet",
                mend=closest(name, self.tools) or "declare a system under `systems:` in fairlead.yaml",
                param="name",
            )
        return self.systems[tool.system], tool


def offered(
    systems: Mapping[str, System], drivers: Mapping[str, SystemDriver], places: Mapping[str, AtOnce]
) -> Systems:
    """The systems of a revision with their tools by full name (`system.tool`), ready to be called."""
    tools = {tool.name: tool for system in systems.values() for tool in system.tools.values()}
    checkers = {name: Checker(tool.definition) for name, tool in tools.items()}
    return Systems(systems=systems, drivers=drivers, tools=tools, checkers=checkers, places=places)


NO_SYSTEMS = Systems(systems={}, drivers={}, tools={}, checkers={}, places={})
