"""The one page that lists the connectors. A connector is imported when a workspace first uses it."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.net.http import Http
from fairlead.tools.settings import System
from fairlead.tools.types import SystemDriver

CONNECTORS: Final[Mapping[str, str]] = {
    "mcp": "fairlead.tools.mcp:McpSystem",
    "openapi": "fairlead.tools.openapi:OpenApiSystem",
    "sql": "fairlead.tools.sql:SqlSystem",
    "python": "fairlead.tools.python:PythonSystem",
}


def open_system(system: System, http: Http, clock: Clock) -> SystemDriver:
    """The driver for one system. Raises `BadInput` where its connector needs a package that is not installed."""
    module, _, name = CONNECTORS[system.settings.use].partition(":")
    try:
        driver: Any = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise BadInput(
            f"systems.{system.name} needs the package {error.name}, which is not installed",
            mend=f"pip install 'fairlead[{system.settings.use}]'",
        ) from error
    opened: SystemDriver = driver(system, http, clock)
    return opened
