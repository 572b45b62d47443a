"""What policies read, found in their syntax trees: the key of a decision is made of exactly that.

A form that is not known here counts as reading the whole of what stands in it, so that a new Cedar operator can make
the cache less sharp but never wrong.
"""

from collections.abc import Iterable
from typing import Any

from fairlead.policy.sources import Statement

_TESTS = ("contains", "containsAny", "containsAll")


class Reads:
    """The inputs that some policies read.

    `principal`, `resource` and `context` are names of attributes, `whole` the variables that are used as values
    ("principal" then stands for everything about the caller). `groups` and `departments` are those that membership is
    tested in. `categories` are the literals that the set of what was found in the text in question (`found` in the
    context: the labels of a request, the categories of a reply) is tested for, None where it is read otherwise. `named`
    are all categories that are named at all. `meets` tells whether it is read if an item's audience means the caller;
    what they are known as is then not read for that alone.
    """

    def __init__(self, statements: Iterable[Statement], found: str = "labels") -> None:
        self._found = found
        self.named: set[str] = set()
        self.attributes: dict[str, set[str]] = {"principal": set(), "resource": set(), "context": set()}
        self.whole: set[str] = set()
        self.identity: set[str] = set()
        self.groups: set[str] = set()
        self.departments: set[str] = set()
        self.categories: set[str] | None = set()
        self.meets = False
        for statement in statements:
            self._scope("principal", statement.tree["principal"])
            self._scope("resource", statement.tree["resource"])
            for condition in statement.tree["conditions"]:
                self._walk(condition["body"])
            if statement.redact:  # which categories a decision takes out depends on which are there
                self.attributes["context"].add(found)
                self.named |= statement.redact
                if self.categories is not None:
                    self.categories |= statement.redact

    def of(self, variable: str, attribute: str) -> bool:
        """Whether the attribute may bear on a decision."""
        return attribute in self.attributes[variable] or variable in self.whole

    def who(self, variable: str) -> bool:
        """Whether it may bear on a decision which one the principal or the resource is."""
        return variable in self.identity or variable in self.whole

    def _scope(self, variable: str, scope: dict[str, Any]) -> None:
        for holder in (scope, scope.get("in") or {}):
            if "entity" in holder:
                self._related(variable, [holder["entity"]])

    def _related(self, variable: str, entities: Iterable[dict[str, str]]) -> None:
        for entity in entities:
            if variable == "principal" and entity["type"] == "Group":
                self.groups.add(entity["id"])
            elif variable == "principal" and entity["type"] == "Department":
                self.departments.add(entity["id"])
            else:
                self.identity.add(variable)

    def _walk(self, node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                self._walk(each)
        elif isinstance(node, dict):
            self._form(node)

    def _form(self, node: dict[str, Any]) -> None:
        if len(node) != 1:
            self._walk(list(node.values()))
            return
        ((kind, value),) = node.items()
        if kind == "Value":
            return
        if kind == "Var":
            self.whole.add(value)
        elif kind == "Record":
            self._walk(list(value.values()))
        elif kind in (".", "has") and (name := _variable(value["left"])):
            self._attribute(name, value)
        elif kind == "containsAny" and _meet(value["left"], value["right"]):
            self.meets = True
            self.attributes["resource"].add("audience")
        elif kind in _TESTS and _is_categories(value["left"]) and (tested := _strings(value["right"])) is not None:
            attribute = value["left"]["."]["attr"]
            self.attributes["context"].add(attribute)
            self.named |= tested
            if self.categories is not None and attribute == self._found:
                self.categories |= tested
        elif kind in ("in", "==", "!=") and self._compared(value["left"], value["right"]):
            return
        elif kind == "is" and (name := _variable(value["left"])):
            self._type_test(name, value)
        else:
            self._walk(value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [])

    def _attribute(self, variable: str, value: dict[str, Any]) -> None:
        names = value["attr"] if isinstance(value["attr"], list) else [value["attr"]]
        self.attributes.setdefault(variable, set()).add(names[0])
        if variable == "context" and names[0] == self._found:
            self.categories = None

    def _compared(self, left: Any, right: Any) -> bool:
        for one, other in ((left, right), (right, left)):
            name, entities = _variable(one), _entities(other)
            if name and entities is not None:
                self._related(name, entities)
                return True
        return False

    def _type_test(self, variable: str, value: dict[str, Any]) -> None:
        if "in" in value:
            entities = _entities(value["in"])
            if entities is None:
                self.whole.add(variable)
                self._walk(value["in"])
            else:
                self._related(variable, entities)


def _variable(node: Any) -> str:
    return str(node["Var"]) if isinstance(node, dict) and isinstance(node.get("Var"), str) else ""


def _is_categories(node: Any) -> bool:
    inner = node.get(".") if isinstance(node, dict) else None
    return inner is not None and _variable(inner["left"]) == "context" and inner["attr"] in ("labels", "categories")


def _meet(left: Any, right: Any) -> bool:
    """Whether it is compared what the caller is known as, and whom an item is for."""
    return {_path(left), _path(right)} == {("principal", "known_as"), ("resource", "audience")}


def _path(node: Any) -> tuple[str, str]:
    inner = node.get(".") if isinstance(node, dict) else None
    return (_variable(inner["left"]), str(inner["attr"])) if inner is not None else ("", "")


def _entities(node: Any) -> list[dict[str, str]] | None:
    """The entities that a literal, or a set of literals, names; None for anything else."""
    nodes = node["Set"] if isinstance(node, dict) and "Set" in node else [node]
    found = []
    for each in nodes:
        value = each.get("Value") if isinstance(each, dict) else None
        if not isinstance(value, dict) or "__entity" not in value:
            return None
        found.append(value["__entity"])
    return found


def _strings(node: Any) -> set[str] | None:
    nodes = node["Set"] if isinstance(node, dict) and "Set" in node else [node]
    values = [each.get("Value") if isinstance(each, dict) else None for each in nodes]
    return set(values) if all(isinstance(value, str) for value in values) else None  # type: ignore[arg-type]
