"""Which policies can speak of a tool: found by what their scopes name, so that a list of hundreds of tools does not
look at each policy for each of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from fairlead.policy.sources import Statement
from fairlead.tools.types import Tool

_EVERY: Final = "call_tool"


class Scopes:
    """The policies of a revision by what they name. In the order in which they were given."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        self._open: list[int] = []  # whose action may be any
        self._named: dict[str, list[int]] = {}  # whose actions are named
        for place, each in enumerate(statements):
            if each.actions is None or _EVERY in each.actions:
                self._open.append(place)
            else:
                for action in each.actions:
                    self._named.setdefault(action, []).append(place)
        self._of_system: dict[str, tuple[list[int], dict[str, list[int]]]] = {}
        self._any_call: dict[int, Statement | None] = {}

    def about(self, tool: Tool) -> list[Statement]:
        """Those whose scope does not leave out the tool: which one it is, and in which system, is known."""
        return [self._statements[place] for place in self._places(tool)]

    def of_any_call(self, tool: Tool) -> list[Statement]:
        """The same, as far as they can be judged without a call: a permit that depends on it may hold, a forbid that
        depends on it may not."""
        found = (self._without_call(place) for place in self._places(tool))
        return [each for each in found if each is not None]

    def _places(self, tool: Tool) -> list[int]:
        if tool.system not in self._of_system:
            self._of_system[tool.system] = self._open_to(tool.system)
        always, by_tool = self._of_system[tool.system]
        named = [
            place
            for place in self._named.get(tool.name, ())
            if _may_mean(self._statements[place].tree["resource"], tool.system, tool.name)
        ]
        return sorted({*always, *by_tool.get(tool.name, ()), *named})

    def _open_to(self, system: str) -> tuple[list[int], dict[str, list[int]]]:
        """Of those whose action may be any: those about the whole system, and those about one tool."""
        always: list[int] = []
        by_tool: dict[str, list[int]] = {}
        for place in self._open:
            scope = self._statements[place].tree["resource"]
            entity = _entity(scope)
            if entity.get("type") == "Tool":
                by_tool.setdefault(entity["id"], []).append(place)
            elif _may_mean(scope, system, ""):
                always.append(place)
        return always, by_tool

    def _without_call(self, place: int) -> Statement | None:
        if place not in self._any_call:
            self._any_call[place] = _of_any_call(self._statements[place])
        return self._any_call[place]


def tells_tools_apart(statements: Iterable[Statement]) -> bool:
    """Whether a condition of one looks at which tool or action it is about. Their scopes do not count: for tools that
    exactly these speak of, these hold alike."""
    return any(_reads(each.tree["conditions"], ("resource", "action")) for each in statements)


def _entity(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.get("entity") or (scope.get("in") or {}).get("entity") or {}
    return found


def _may_mean(scope: Mapping[str, Any], system: str, name: str) -> bool:
    """Whether the scope may hold for the tool. What is not known here may."""
    entity = _entity(scope)
    if scope.get("entity_type", "Tool") != "Tool":
        return False
    if entity.get("type") == "System":
        return bool(entity["id"] == system)
    return entity.get("type") != "Tool" or bool(entity["id"] == name)


def _of_any_call(statement: Statement) -> Statement | None:
    conditions = statement.tree["conditions"]
    left = [one for one in conditions if not _reads(one, ("context",))]
    if len(left) == len(conditions):
        return statement
    if statement.effect == "permit":
        return replace(statement, tree={**statement.tree, "conditions": left})
    return None


def _reads(node: Any, variables: tuple[str, ...]) -> bool:
    if isinstance(node, list):
        return any(_reads(each, variables) for each in node)
    if not isinstance(node, dict):
        return False
    return node.get("Var") in variables or any(_reads(each, variables) for each in node.values())
