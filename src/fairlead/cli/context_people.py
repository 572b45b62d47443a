"""Who there is in each department, and what they may, for reports on what agents must know."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from fairlead.cli.known_callers import known_callers
from fairlead.cli.output import progress
from fairlead.context.catalogue import Catalogue
from fairlead.context.readiness import Draft, Page, People, Reader, Shelf, Traffic
from fairlead.identity import Caller
from fairlead.labels import Access
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace

_DEPARTMENT: Final = "department:"
_SOMEBODY: Final = "somebody"  # a person of whom nothing is known but the department
_NO_TOOL: Final[frozenset[str]] = frozenset()
_QUOTED: Final = frozenset("'\"\\")


def mentioned(catalogue: Catalogue, drafts: Iterable[Draft], traffic: Traffic) -> set[str]:
    """Departments that have asked, or that pages are for."""
    audiences = (*(access.audience for access in catalogue.accesses), *(draft.audience for draft in drafts))
    pages = {name.removeprefix(_DEPARTMENT) for each in audiences for name in each if name.startswith(_DEPARTMENT)}
    return pages | {department for _, department in traffic.calls}


def people_of(
    workspace: Workspace,
    store: Store | None,
    pages: Iterable[Page],
    departments: set[str],
    said: Mapping[str, frozenset[str]],
) -> Iterator[People]:
    """Who there is in each department: by keys, by what the command says, or because it is mentioned. Rights are asked
    for as far as some need may hang on them."""
    shelf = Shelf(pages)
    needs = [need for task in workspace.tasks.types.values() for need in task.requires]
    accesses = tuple({page.access for need in needs for page in shelf.answering(need)})
    by_department: dict[str, dict[str, Caller]] = {}
    for caller in (*_declared(workspace), *known_callers(workspace, store)):
        by_department.setdefault(caller.department, {}).setdefault(caller.person, caller)
    for department, groups in said.items():
        by_department.setdefault(department, {})[f"{_SOMEBODY} of {department}"] = _somebody(department, groups)
    every = sorted(by_department.keys() | departments) or [""]
    with progress("asking for rights", len(every)) as step:
        for department in every:
            callers = by_department.get(department) or {"": _somebody(department, frozenset())}
            readers = tuple(readers_of(workspace, accesses, callers.values()))
            yield People(department, readers, department in by_department)
            step()


def _declared(workspace: Workspace) -> Iterator[Caller]:
    """Those of whom fairlead.yaml tells, though their secrets may not be on this machine."""
    for label, key in workspace.settings.keys.items():
        named = key.named(label)
        yield Caller(
            person=named.person,
            agent=named.agent,
            department=named.department,
            groups=frozenset(named.groups),
            roles=frozenset(named.roles),
            credential=f"key:{label}",
        )


def _somebody(department: str, groups: frozenset[str]) -> Caller:
    return Caller(person=_SOMEBODY, department=department, groups=groups, credential="key:readiness")


def readers_of(workspace: Workspace, accesses: Sequence[Access], callers: Iterable[Caller]) -> Iterator[Reader]:
    """Those who may read and call the same are one reader, so that ten thousand people cost as much as their rights
    differ."""
    live = {source.settings.tool for source in workspace.live.values()}
    tools = [tool for system in workspace.systems.values() for tool in system.tools.values() if tool.name in live]
    alike: dict[tuple[frozenset[Access], frozenset[str]], int] = {}
    for caller, number in _distinct(workspace, accesses, callers):
        allowed = frozenset(filter(workspace.policy.may_read(caller), accesses))
        called = frozenset(tool.name for tool in workspace.policy.tools.visible(caller, tools)) if tools else _NO_TOOL
        alike[allowed, called] = alike.get((allowed, called), 0) + number
    for (allowed, called), people in alike.items():
        yield Reader(may_read=allowed.__contains__, may_call=called.__contains__, people=people)


def _distinct(
    workspace: Workspace, accesses: Iterable[Access], callers: Iterable[Caller]
) -> Iterator[tuple[Caller, int]]:
    """Callers whom nothing tells apart, once, with how many they are: a name counts where a page or a policy has it."""
    text = "\n".join(str(each.tree) for each in workspace.policy.statements)
    named = {name.removeprefix("person:") for access in accesses for name in (*access.audience, access.owner)}
    alike: dict[object, list[Caller]] = {}
    for caller in callers:
        plain = caller.person.isprintable() and _QUOTED.isdisjoint(caller.person)  # stands in a tree as it is
        matters = not plain or "credential" in text or caller.person in named or caller.person in text
        key = replace(caller, person=caller.person if matters else "", credential=caller.credential if matters else "")
        alike.setdefault(key, []).append(caller)
    for some in alike.values():
        yield some[0], len(some)
