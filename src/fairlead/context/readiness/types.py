"""What readiness comes to. Reports are plain data: they go out as JSON as they are."""

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from fairlead.context.readiness.facts import Basis
from fairlead.tasks.types import State

Sort = Literal["task", "tool", "flow"]
There = Literal["there", "draft", "live", "missing"]
Verb = Literal["publish", "write", "start", "verify", "review", "settle", "show", "connect", "declare"]


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
