"""A recorded decision, made again: by what its record has and what was kept of what policies were told. Pure.

What was not kept is said, and never guessed: a decision that cannot be made again is none that came out the same.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.execution.told_policies import Told, asked_again
from fairlead.identity.types import Caller
from fairlead.labels import DataClass, Labels
from fairlead.policy.cedar_request import Asked
from fairlead.policy.types import Decision
from fairlead.tasks.types import Task, TaskType

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace


class Unknown(Struct, frozen=True):
    """It cannot be decided again, and why."""

    why: str


def caller_of(record: Record, told: Told | None, workspace: "Workspace") -> Caller | Unknown:
    """Who asked, as they stood then: as it was kept, or as the key stood in the revision that decided."""
    if told is not None:
        return told.caller
    name = record.credential.removeprefix("key:")
    key = next((each for each in workspace.identity.keys if each.name == name), None)
    if name == record.credential or key is None or key.bound_to:
        return Unknown("the groups and roles of who asked were not kept")
    return Caller(
        person=key.person,
        agent=key.agent,
        department=key.department,
        groups=key.groups,
        roles=key.roles,
        credential=record.credential,
    )


def labels_of(record: Record) -> Labels | Unknown:
    """What was found in the text and its context."""
    if not record.data_class:
        return Unknown("it ended before its text was looked at")
    return Labels(DataClass[record.data_class], frozenset(record.categories))


class Again:
    """Decides recorded actions by one revision; `revision` is "" for one that is only supposed."""

    def __init__(self, workspace: "Workspace", revision: str = "") -> None:
        self.workspace = workspace
        self.revision = revision
        self.texts = {each.id: each.text for each in workspace.policy.statements}
        self._models = tuple(each for each in workspace.models.models.values() if each.space is None)
        self._tasks: dict[str, TaskType] = {}

    def models(self, record: Record, caller: Caller, labels: Labels) -> Mapping[str, Decision]:
        """A decision for each model of the revision."""
        type_ = self._tasks.get(record.task)
        if type_ is None:
            type_ = self._tasks[record.task] = TaskType(name=record.task)
        task = Task(type=type_, labels=labels, question="")
        return self.workspace.policy.authorize(caller, task, labels, self._models, record.door).decisions

    def tool(self, record: Record, told: Told, labels: Labels, approved: frozenset[str]) -> Decision | Unknown:
        """A decision about the call with these roles' approval; `Unknown` where it rests on what was not kept."""
        assert told.call is not None
        system_name, _, own = record.tool.partition(".")
        system = self.workspace.systems.get(system_name)
        tool = system.tools.get(own) if system is not None else None
        if system is None or tool is None:
            return Decision("deny", errors=(f"there is no tool {record.tool}",))
        if lacking := sorted(system.card_of(own).facts.keys() - told.call.facts.keys()):
            return Unknown(f"it would rest on facts that were not read then: {', '.join(lacking)}")
        asked = asked_again(told.call, tool, labels, record.task, record.door, approved)
        return self.workspace.policy.tools.decide(told.caller, asked)

    def result(self, record: Record, told: Told) -> Decision | None:
        """A decision about a tool's result, by the categories that the record has; None where there is no such tool."""
        system, _, own = record.tool.partition(".")
        known = self.workspace.systems.get(system)
        tool = known.tools.get(own) if known is not None else None
        if tool is None:
            return None
        categories = frozenset(record.categories)
        return self.workspace.policy.release_result(
            told.caller, tool, categories, asked=categories, task=record.task, door=record.door
        )

    def reply(self, record: Record, caller: Caller) -> Decision | None:
        """A decision about the release of a reply, by the categories that the record has; None where there is no such
        model."""
        model = self.workspace.models.models.get(record.model)
        if model is None:
            return None
        categories = frozenset(record.categories)
        asked = Asked(task=record.task, door=record.door, labels=categories)
        return self.workspace.policy.release(caller, asked, model, categories, {})


def differing_rules(before: Again, after: Again, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Which of these policies are not the same in both, each with what became of it."""
    found = []
    for each in dict.fromkeys(ids):
        was, now = before.texts.get(each), after.texts.get(each)
        if was != now:
            found.append((each, "new" if was is None else "gone" if now is None else "changed"))
    return tuple(found)
