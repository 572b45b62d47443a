"""The one page that lists the connectors. A connector is imported when a workspace first uses it."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.net.http import Http
from fairlead.tools.settings import McpSettings, OpenApiSettings, PythonSettings, SqlSettings, System
from fairlead.tools.types import SystemDriver

CONNECTORS: Final[Mapping[type, str]] = {
    McpSettings: "fairlead.tools.mcp:McpSystem",
    OpenApiSettings: "fairlead.tools.openapi:OpenApiSystem",
    SqlSettings: "fairlead.tools.sql:SqlSystem",
    PythonSettings: "fairlead.tools.python:PythonSystem",
}


def open_system(system: System, http: Http, clock: Clock) -> SystemDriver:
    """The driver for one system. Raises `BadInput` where its connector needs a package that is not installed."""
    module, _, name = CONNECTORS[type(system.settings)].partition(":")
    try:
        driver: Any = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise BadInput(
            f"systems.{system.name} needs the package {error.name}, which is not installed",
            mend=f"pip install 'fairlead[{module.rpartition('.')[2]}]'",
        ) from error
    opened: SystemDriver = driver(system, http, clock)
    return opened
