"""What readiness is worked out from, and what it comes to. Reports are plain data: they go out as JSON as they are."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.catalogue import Entry
from fairlead.labels import Access
from fairlead.tasks.types import State, TaskType

MayRead = Callable[[Access], bool]
MayCall = Callable[[str], bool]
"""Whether somebody may call a tool, by its full name."""

Sort = Literal["task", "tool", "flow"]
There = Literal["there", "draft", "live", "missing"]
Verb = Literal["publish", "write", "start", "verify", "review", "settle", "show", "connect", "declare"]


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


class Shares(Struct, frozen=True, kw_only=True):
    """Of so many needs: for how many the knowledge is there, and each of what makes it fit to be relied upon. `ready`
    are those of which the task type itself would say that they are met."""

    of: int
    exists: int
    verified: int
    current: int
    visible: int
    consistent: int
    ready: int

    @property
    def percent(self) -> int:
        """Rounded down, so that nothing is called complete that is not. 100 where nothing is needed."""
        return 100 * self.ready // self.of if self.of else 100


class Stand(Struct, frozen=True, kw_only=True):
    """How one need stands for the people of a department. `may` of `people` can read a page of it."""

    need: str
    state: State
    exists: bool
    verified: bool
    current: bool
    visible: bool
    consistent: bool
    may: int
    people: int
    pages: tuple[str, ...]
    reason: str
    owner: str


class Row(Struct, frozen=True, kw_only=True):
    """One task type for departments that stand alike. `calls` are theirs, and `lacked` are those of them in which
    something that was required was not met at that time."""

    task: str
    departments: tuple[str, ...]
    calls: int
    lacked: int
    people: int
    shares: Shares
    percent: int
    needs: tuple[Stand, ...]


class CitedPage(Struct, frozen=True, kw_only=True):
    """A page that answers rested on. `remarks` are what speaks against relying on it."""

    id: str
    times: int
    remarks: tuple[str, ...]


class Estimate(Struct, frozen=True, kw_only=True):
    """A task type that declares no needs: what its answers cited, and where they cited nothing."""

    task: str
    calls: int
    cited: int
    uncited: int
    refused: int
    pages: tuple[CitedPage, ...]


class Department(Struct, frozen=True, kw_only=True):
    """All declared task types together, for one department. `known` as in `People`."""

    department: str
    people: int
    known: bool
    calls: int
    percent: int


class Step(Struct, frozen=True, kw_only=True):
    """Something to see to. `weight` is how many calls it stands in the way of, each by how much."""

    verb: Verb
    what: str
    page: str
    owner: str
    command: str
    tasks: tuple[str, ...]
    departments: tuple[str, ...]
    calls: int
    weight: float


def departments_in(row: Row, known: Collection[object]) -> str:
    """The departments of a row in words, where so many are known."""
    if len(row.departments) == len(known) > 1:
        return f"all {len(known)}"
    return ", ".join(name or "none" for name in row.departments)


class Readiness(Struct, frozen=True, kw_only=True):
    """The report. `percent` is over all task types that declare needs, each by its traffic; None where none does."""

    basis: Basis
    percent: int | None
    departments: tuple[Department, ...]
    rows: tuple[Row, ...]
    estimates: tuple[Estimate, ...]
    steps: tuple[Step, ...]


class NeedLine(Struct, frozen=True, kw_only=True):
    """One thing that a decision needs, and what there is of it: pages, a live source, or drafts."""

    need: str
    wants: str
    state: There
    pages: tuple[str, ...]
    drafts: tuple[str, ...]
    owner: str


class Decision(Struct, frozen=True, kw_only=True):
    """What agents decide or do here: a kind of work, a tool that changes something, or a flow of approvals. `estimated`
    tells that nothing is declared, so that `needs` are the pages which its answers cited."""

    sort: Sort
    name: str
    about: str
    calls: int
    approvers: tuple[str, ...]
    needs: tuple[NeedLine, ...]
    estimated: bool = False


class Knowledge(Struct, frozen=True, kw_only=True):
    """A piece of knowledge: where it lives, who answers for it, how often it changes, and what is to be seen to.
    `every` is in days, None where nobody knows."""

    id: str
    title: str
    kind: str
    status: str
    owner: str
    where: str
    every: float | None
    measured: bool
    changed: str
    verified: str
    review_by: str
    expires: str
    remarks: tuple[str, ...]
    tasks: tuple[str, ...]
    cited: int
    requests: int


class Inventory(Struct, frozen=True, kw_only=True):
    """The report. `counts` are how many pieces of knowledge there are of each remark, and of all ("all")."""

    basis: Basis
    decisions: tuple[Decision, ...]
    knowledge: tuple[Knowledge, ...]
    counts: Mapping[str, int]
