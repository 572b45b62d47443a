"""How many runs may be walked at once: by workflow, by queue, by the department of who began them. Pure.

A run has a place while a worker walks it, on whatever host; one that waits for people, a signal or a time has none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.workflows.definition import Definition
from fairlead.workflows.settings import WorkflowsSettings

EVERY: Final = "*"
_KINDS: Final = ("queue", "department", "workflow")
Group = tuple[str, str]
"""A workflow, and the department of who began the run."""


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of the revision in force. They hold for all runs, whatever text these began with."""

    workflows: Mapping[str, int] = {}
    queue_of: Mapping[str, str] = {}
    queues: Mapping[str, int] = {}
    departments: Mapping[str, int] = {}

    def of(self, group: Group) -> "Iterator[Limit]":
        """All that limit a run."""
        workflow, department = group
        if workflow in self.workflows:
            yield Limit("workflow", workflow, self.workflows[workflow])
        queue = self.queue_of.get(workflow, "")
        if queue in self.queues:
            yield Limit("queue", queue, self.queues[queue])
        most = self.departments.get(department, self.departments.get(EVERY))
        if most is not None:
            yield Limit("department", department, most)


class Standing(Struct, frozen=True, kw_only=True):
    """How things stand at a limit, or with a workflow that has none (`places` None). `since` is when the first of those
    that wait was begun, in milliseconds since 1970; 0 where none does."""

    kind: str
    name: str
    running: int
    places: int | None
    waiting: int
    since: int


class Limit(Struct, frozen=True):
    """One limit. `kind` is workflow, queue or department."""

    kind: str
    name: str
    places: int

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.kind, self.name

    def said(self, running: int) -> str:
        """Why a run waits for it, as people are told."""
        return f"{self.kind} {self.name or '(none)'}: {running} of {self.places} run"


class Taken:
    """How many places are taken, limit by limit."""

    def __init__(self, limits: Limits, running: Iterable[tuple[Group, int]]) -> None:
        self.limits = limits
        self.by: Counter[tuple[str, str]] = Counter()
        for group, count in running:
            self.add(group, count)

    def add(self, group: Group, count: int = 1) -> None:
        """So many more of these run, or fewer."""
        for limit in self.limits.of(group):
            self.by[limit.key] += count

    def full(self, group: Group) -> Limit | None:
        """The limit that leaves no place for another run of these, None where there is one."""
        return next((limit for limit in self.limits.of(group) if self.by[limit.key] >= limit.places), None)

    def why(self, group: Group) -> str:
        """Why such a run waits for a place, "" where it does not."""
        limit = self.full(group)
        return "" if limit is None else limit.said(self.by[limit.key])

    @property
    def full_workflows(self) -> list[str]:
        """Those of which no run has a place, whoever begins it."""
        limits = Limits(workflows=self.limits.workflows, queue_of=self.limits.queue_of, queues=self.limits.queues)
        names = {*limits.workflows, *limits.queue_of}
        return sorted(name for name in names if self._is_full(limits.of((name, ""))))

    @property
    def full_departments(self) -> list[str]:
        """Those whose people have no place for any run."""
        names = {name for kind, name in self.by if kind == "department"}
        limits = Limits(departments=self.limits.departments)
        return sorted(name for name in names if self._is_full(limits.of(("", name))))

    def _is_full(self, limits: Iterable[Limit]) -> bool:
        return any(self.by[limit.key] >= limit.places for limit in limits)


def standings(
    limits: Limits, running: Iterable[tuple[Group, int]], waiting: Iterable[tuple[Group, int, int]]
) -> list[Standing]:
    """Every limit at which a run has a place or waits, and every workflow of which one does."""
    found: dict[tuple[str, str], Standing] = {}

    def count(group: Group, has: int, waits: int, since: int) -> None:
        named = {limit.key: limit.places for limit in limits.of(group)}
        for kind, name in {("workflow", group[0]): None, **named}:
            one = found.get((kind, name)) or Standing(
                kind=kind, name=name, running=0, places=named.get((kind, name)), waiting=0, since=0
            )
            first = min(filter(None, (one.since, since)), default=0)
            one = replace(one, running=one.running + has, waiting=one.waiting + waits, since=first)
            found[kind, name] = one

    for group, has in running:
        count(group, has, 0, 0)
    for group, waits, since in waiting:
        count(group, 0, waits, since)
    return [found[key] for key in sorted(found, key=lambda key: (_KINDS.index(key[0]), key[1]))]


def limits_of(settings: WorkflowsSettings, workflows: Mapping[str, Definition]) -> Limits:
    """What a workspace says."""
    return Limits(
        workflows={name: each.at_once for name, each in workflows.items() if each.at_once is not None},
        queue_of={name: each.queue for name, each in workflows.items() if each.queue},
        queues={name: each.at_once for name, each in settings.queues.items()},
        departments={name: each.at_once for name, each in settings.departments.items()},
    )
