"""What readiness is worked out from: pages, people and their rights, records, all gathered by whoever asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.catalogue import Entry
from fairlead.labels import Access, MayRead
from fairlead.tasks.types import TaskType

MayCall = Callable[[str], bool]
"""Whether somebody may call a tool, by its full name."""


class Basis(Struct, frozen=True, kw_only=True):
    """What was looked at. `source` is what is published or the folder as it is now; `drafts` tells whether drafts of
    the folder were looked at too, `waiting` names its task types that are not published. Times in milliseconds since
    1970, 0 for none: `since` is from when records were read, `log_from` when the first record was made."""

    source: Literal["published", "folder"]
    organisation: str
    revision: str = ""
    snapshot: str = ""
    drafts: bool = False
    waiting: tuple[str, ...] = ()
    at: int
    since: int = 0
    log_from: int = 0


class Page(Struct, frozen=True):
    """A page that is in force, or would be, with whatever rights are decided by."""

    entry: Entry
    access: Access


class Draft(Struct, frozen=True, kw_only=True):
    """A page of the folder that is not published. `questions` are those without an answer, `audience` is whom it is
    written for."""

    id: str
    title: str
    kind: str
    status: str
    topics: frozenset[str]
    owner: str
    review_by: str = ""
    questions: tuple[str, ...] = ()
    audience: frozenset[str] = frozenset()


class Rate(Struct, frozen=True):
    """How often a page changes: once in so many days, as its history has it or as its owner's dates say."""

    days: float
    measured: bool


class Traffic(Struct, frozen=True, kw_only=True):
    """What the records of the time in question tell. `calls`, and those of them that `lacked` something required, are
    counted by task type and department, the rest by task type: `refused` for want of context, `uncited` answered
    without naming a page, `cited` by page. `tools` are calls of tools."""

    calls: Mapping[tuple[str, str], int] = {}
    lacked: Mapping[tuple[str, str], int] = {}
    refused: Mapping[str, int] = {}
    uncited: Mapping[str, int] = {}
    cited: Mapping[str, Mapping[str, int]] = {}
    tools: Mapping[str, int] = {}

    def of_task(self, task: str) -> int:
        """The calls of a task type, of all departments."""
        return sum(count for (name, _), count in self.calls.items() if name == task)


NO_TRAFFIC: Final = Traffic()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """People whose rights are the same: how many they are, and what they may."""

    may_read: MayRead
    may_call: MayCall
    people: int = 1


class People(Struct, frozen=True):
    """The people of one department. `known` is False where nobody of it is known here, so that somebody was assumed who
    has the department and nothing else."""

    department: str
    readers: tuple[Reader, ...]
    known: bool = True


class Act(Struct, frozen=True, kw_only=True):
    """Something that changes the world and that agents may do: a tool, with the roles that policies ask first."""

    tool: str
    about: str
    effect: str
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Everything that both reports rest on. `live` gives the tool of each live source, `disagree` pairs of pages that
    are known to contradict each other, `disputed` needs of task types of which an owner was told so, `requests` how
    many are open by page, `packs` the starter pack that has a page for a topic, `approvers` who stands for a role of
    approvals, `gone` owners who are not there any more."""

    basis: Basis
    today: date
    tasks: tuple[TaskType, ...]
    pages: tuple[Page, ...]
    drafts: tuple[Draft, ...] = ()
    people: tuple[People, ...] = ()
    traffic: Traffic = NO_TRAFFIC
    disagree: frozenset[frozenset[str]] = frozenset()
    rates: Mapping[str, Rate]
    live: Mapping[str, str]
    acts: tuple[Act, ...] = ()
    approvers: Mapping[str, tuple[str, ...]]
    packs: Mapping[str, str]
    requests: Mapping[str, int]
    gone: frozenset[str] = frozenset()
    disputed: frozenset[tuple[str, str]] = frozenset()
