"""A suite of AgentDojo as a system of a workspace: functions with type hints, which call the suite's own."""

import enum
import types
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from fairlead.tools.person import ToolError

_HEAD = '"""The tools of a suite, by their own names."""\n\nfrom evals.agentdojo_system import PLACE as _PLACE\n'
_PLAIN = {str: "str", int: "int", float: "float", bool: "bool", dict: "dict", type(None): "None"}


class Place:
    """Where the calls of the run in progress arrive: AgentDojo's functions over its environment."""

    def __init__(self) -> None:
        self._runtime: Any = None
        self._env: Any = None
        self.result: Any = None

    def set(self, runtime: Any, env: Any) -> "Place":
        self._runtime, self._env = runtime, env
        return self

    def call(self, name: str, given: dict[str, Any]) -> Any:
        arguments = {key: value for key, value in given.items() if value is not None}
        self.result, error = self._runtime.run_function(self._env, name, arguments)
        if error is not None:
            raise ToolError(error)
        return as_data(self.result)


PLACE = Place()


def as_data(value: Any) -> Any:
    """What AgentDojo gives, as plain data."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(name): as_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_data(each) for each in value]
    return value.value if isinstance(value, enum.Enum) else msgspec.to_builtins(value)


def source_of(tools: Iterable[Any]) -> str:
    """The file `systems/NAME.py`."""
    return _HEAD + "".join(_function(each) for each in tools)


def _function(tool: Any) -> str:
    parameters = []
    for name, each in tool.parameters.model_fields.items():
        default = "" if each.is_required() else f" = {each.default!r}"
        parameters.append(f"{name}: {_hint(each.annotation)}{default}")
    given = ", ".join(f"{name!r}: {name}" for name in tool.parameters.model_fields)
    return (
        f"\n\nasync def {tool.name}({', '.join(parameters)}) -> object:\n"
        f"    {tool.description!r}\n    return _PLACE.call({tool.name!r}, {{{given}}})\n"
    )


def _hint(of: Any) -> str:
    if of in _PLAIN:
        return _PLAIN[of]
    if isinstance(of, type) and issubclass(of, enum.Enum):
        return "str"
    origin, inner = typing.get_origin(of), typing.get_args(of)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(_hint, inner))
    if origin is list:
        return f"list[{_hint(inner[0])}]" if inner else "list"
    return "dict" if origin is dict else "object"
