"""The one page that lists the connectors. A connector is imported when a workspace first uses it."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.net.http import Http
from fairlead.tools.files import file_of
from fairlead.tools.offers import methods_of
from fairlead.tools.settings import (
    AnySystem,
    DecidedSettings,
    McpSettings,
    MemorySystemSettings,
    OpenApiSettings,
    PythonSettings,
    SqlSettings,
)
from fairlead.tools.systems import Pins, System
from fairlead.tools.types import Definition, SystemDriver

CONNECTORS: Final[Mapping[type, str]] = {
    McpSettings: "fairlead.tools.mcp:McpSystem",
    OpenApiSettings: "fairlead.tools.openapi:OpenApiSystem",
    SqlSettings: "fairlead.tools.sql:SqlSystem",
    PythonSettings: "fairlead.tools.python:PythonSystem",
    DecidedSettings: "fairlead.tools.decided:DecidedTexts",
    MemorySystemSettings: "fairlead.tools.memory:MemoryTools",
}


def defined(name: str, settings: AnySystem, pins: Pins | None, files: Mapping[str, bytes]) -> Sequence[Definition]:
    """The definitions that are in force: those that the workspace's own text makes, or else those that were accepted.

    `files` are those of the workspace under `systems/`. Raises `BadInput`.
    """
    found: Sequence[Definition] = ()
    match settings:
        case McpSettings():
            found = (*(pins.tools if pins is not None else ()), *methods_of(settings.offers))
        case PythonSettings():
            text = file_of(files, settings.file, f"systems.{name}.file")
            found = _named("python", "definitions_of")(text, settings.file)
        case SqlSettings():
            _named("sql_address", "check_database")(f"systems.{name}.url", settings.url)
            found = _named("sql_queries", "definitions_of")(
                name, _named("sql_mapping", "mapped")(name, settings, files)
            )
        case OpenApiSettings():
            found = _named("openapi", "definitions_of")(name, settings, files)
    return found


def _named(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"fairlead.tools.{module}"), name)


def open_system(system: System, http: Http, clock: Clock) -> SystemDriver:
    """The driver for one system. Raises `BadInput` where its connector needs a package that is not installed."""
    module, _, name = CONNECTORS[type(system.settings)].partition(":")
    try:
        driver: Any = getattr(importlib.import_module(module), name)
        opened: SystemDriver = driver(system, http, clock)  # which imports what only some of its kind need
    except ImportError as error:
        extra = module.rpartition(".")[2]
        raise BadInput(
            f"systems.{system.name} needs the extra `{extra}`, which is not installed",
            why=str(error),
            mend=f"pip install 'fairlead[{extra}]'",
        ) from error
    return opened
