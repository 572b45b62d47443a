"""What Cedar is asked: who, what, on which, under which circumstances. Pure translation, no decision."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from fairlead.identity.types import Caller
from fairlead.labels import Access, DataClass, Labels
from fairlead.models.types import Model
from fairlead.tools.types import Tool

Entity = dict[str, Any]
_KINDS = ("person", "department", "group")
FactValue = Decimal | str | bool
CEDAR_DECIMAL = Decimal("922337203685477.5807")
"""The greatest decimal that Cedar knows; its least is one ten-thousandth further from zero."""


class CedarRequest(Struct, frozen=True):
    """One request to Cedar with the entities that it needs. `body` is the request proper, in Cedar's JSON."""

    principal: Entity
    action: str
    resource: Entity
    context: dict[str, Any]
    others: tuple[Entity, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """Without the entities: these are handed to Cedar beside it."""
        return {
            "principal": self.principal["uid"],
            "action": {"type": "Action", "id": self.action},
            "resource": self.resource["uid"],
            "context": self.context,
        }


class Asked(Struct, frozen=True):
    """What a reply answers: the task type, the door that the request came by, and the categories of the request."""

    task: str = ""
    door: str = ""
    labels: frozenset[str] = frozenset()


class Starting(Struct, frozen=True):
    """A workflow that is to begin: its name, and the least data class that it declares."""

    workflow: str
    data_class: DataClass = DataClass.public


def known_as(caller: Caller) -> list[str]:
    """The names by which an audience may mean this caller.

    A name that itself reads `person:…` or the like counts only with its kind before it: who may name a group must not
    become somebody else by it.
    """
    names = [("person", caller.person), ("department", caller.department), *(("group", g) for g in caller.groups)]
    known = {f"{kind}:{name}" for kind, name in names if name}
    return sorted(known | {name for _, name in names if name and name.partition(":")[0] not in _KINDS})


def person(caller: Caller) -> Entity:
    """The caller as Cedar's principal, a child of their groups and their department."""
    parents = [{"type": "Group", "id": each} for each in sorted(caller.groups)]
    if caller.department:
        parents.append({"type": "Department", "id": caller.department})
    attributes = {
        "agent": caller.agent,
        "credential": caller.credential,
        "department": caller.department,
        "groups": sorted(caller.groups),
        "known_as": known_as(caller),
        "roles": sorted(caller.roles),
        "tenant": caller.tenant,
    }
    return {"uid": {"type": "Person", "id": caller.person}, "attrs": attributes, "parents": parents}


def model(of: Model) -> Entity:
    """A model as Cedar's resource: a child of its group, where its placement says things."""
    where = of.placement
    attributes: dict[str, Any] = {"kind": where.kind, "region": where.region, "vendor": where.vendor}
    if where.retention_days is not None:
        attributes["retention_days"] = where.retention_days
    parents = [{"type": "Model", "id": of.group}] if of.group else []
    return {"uid": {"type": "Model", "id": of.name}, "attrs": attributes, "parents": parents}


def tool(of: Tool) -> Entity:
    """A tool as Cedar's resource, a child of its system."""
    attributes = {"name": of.definition.name, "system": of.system, "effect": of.definition.effect}
    parents = [{"type": "System", "id": of.system}]
    return {"uid": {"type": "Tool", "id": of.name}, "attrs": attributes, "parents": parents}


def tool_action(of: Tool) -> Entity:
    """The action of calling it, in the group of all such actions."""
    return {
        "uid": {"type": "Action", "id": of.name},
        "attrs": {},
        "parents": [{"type": "Action", "id": "call_tool"}],
    }


def item(access: Access) -> Entity:
    """A page as Cedar's resource, by its audience and class alone: never by its text."""
    attributes = {
        "audience": sorted(access.audience),
        "owner": access.owner,
        "data_class": int(access.data_class),
        "class": DataClass(access.data_class).name,
    }
    return {"uid": {"type": "ContextItem", "id": access.item}, "attrs": attributes, "parents": []}


def workflow(of: Starting) -> Entity:
    """A workflow as Cedar's resource."""
    attributes = {"data_class": int(of.data_class), "class": DataClass(of.data_class).name}
    return {"uid": {"type": "Workflow", "id": of.workflow}, "attrs": attributes, "parents": []}


def call_context(task: str, labels: Labels, redacted: frozenset[str], door: str) -> dict[str, Any]:
    """The context of `call_model`, for a text from which these categories have been taken."""
    return {
        "task": task,
        "labels": sorted(labels.categories - redacted),
        "data_class": int(labels.data_class),
        "class": DataClass(labels.data_class).name,
        "redacted": sorted(redacted),
        "door": door,
    }


def release_context(
    asked: Asked, categories: frozenset[str], redacted: frozenset[str], facts: Mapping[str, FactValue]
) -> dict[str, Any]:
    """The context of `release_reply`, for a reply in which these categories have been blacked out."""
    return {
        "task": asked.task,
        "door": asked.door,
        "labels": sorted(asked.labels),
        "categories": sorted(categories - redacted),
        "redacted": sorted(redacted),
        "facts": {name: _value(value) for name, value in facts.items()},
    }


def result_context(
    asked: frozenset[str], categories: frozenset[str], redacted: frozenset[str], task: str, door: str
) -> dict[str, Any]:
    """The context of `release_result`, for a result in which the redacted categories have been blacked out."""
    return {
        "task": task,
        "door": door,
        "labels": sorted(asked),
        "categories": sorted(categories),
        "redacted": sorted(redacted),
    }


def _value(value: FactValue) -> Any:
    if isinstance(value, Decimal):
        return {"__extn": {"fn": "decimal", "arg": f"{value:.4f}"}}
    return value
