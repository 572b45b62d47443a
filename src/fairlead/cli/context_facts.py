"""Gathers what inventory and readiness rest on: what is published or lies in the folder, whose keys there are and what
they may, and what the records tell."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.cli.compiled import in_folder, published_revision
from fairlead.cli.known_callers import known_callers
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import progress, say
from fairlead.cli.place import Place, secrets
from fairlead.cli.records import record_of
from fairlead.clock import SystemClock
from fairlead.context.catalogue import Catalogue, catalogue_of, load_catalogue
from fairlead.context.items import read_item
from fairlead.context.kinds import PUBLISHED
from fairlead.context.questions import unanswered
from fairlead.context.readiness import Act, Basis, Draft, Facts, Page, People, Reader, Shelf, Traffic
from fairlead.context.requests import Requests
from fairlead.context.types import Item
from fairlead.costs.record import Record
from fairlead.errors import BadInput
from fairlead.identity import Caller
from fairlead.labels import Access
from fairlead.policy.tool_scopes import Scopes
from fairlead.storage.database import database_at
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace, compile_workspace
from fairlead.workspace.context_traffic import traffic_of
from fairlead.workspace.load import read_folder
from fairlead.workspace.published import load_revision
from fairlead.workspace.starters import FUNCTIONS, starter
from fairlead.workspace.text import WorkspaceText, task_name

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow

_FRONT: Final = 20_000  # bytes in which the front matter of a page lies
_QUOTED: Final = frozenset("'\"\\")
_NO_TOOL: Final[frozenset[str]] = frozenset()
_UNPUBLISHED: Final = re.compile(rb"""^["']?status["']?[ \t]*:[ \t]*["']?(?:draft|review)""", re.MULTILINE)
_DEPARTMENT: Final = "department:"
_SOMEBODY: Final = "somebody"  # a person of whom nothing is known but the department


class Asked(Struct, frozen=True, kw_only=True):
    """What a command was asked to look at. `people` are departments with the groups that somebody of them is in, for
    those of whom no key tells. `since` is in milliseconds since 1970; `folder` passes over what is published; without
    `rights` nobody is asked for theirs."""

    since: int
    folder: bool = False
    rights: bool = False
    people: Mapping[str, frozenset[str]] = {}


class _Seen(Struct, frozen=True):
    """A workspace as it was looked at, with its pages apart."""

    workspace: Workspace
    catalogue: Catalogue
    revision: str


def gather(place: Place, asked: Asked) -> Facts:
    """The facts. Raises what opening, compiling and reading raise."""
    store = open_store(place) if database_at(place.database).exists() else None
    try:
        return _gathered(place, store, asked)
    finally:
        if store is not None:
            store.close()


def _gathered(place: Place, store: Store | None, asked: Asked) -> Facts:
    now = SystemClock().now()
    seen = _published(place, store) if store is not None and not asked.folder else None
    seen = seen or _in_folder(place)
    traffic, log_from = _traffic(store, asked.since) if store is not None else (Traffic(), 0)
    text = _text(place)
    drafts = _drafts(text, seen.workspace) if text is not None else ()
    declared = {task_name(path) for path, _ in text.below("tasks", ".yaml")} if text is not None else set()
    asked_for = _open_requests(store) if store is not None else []
    workspace, catalogue = seen.workspace, seen.catalogue
    pages = tuple(Page(entry, catalogue.access_of(entry)) for entry in catalogue.entries)
    return Facts(
        basis=Basis(
            source="published" if seen.revision else "folder",
            organisation=workspace.organisation,
            revision=seen.revision,
            snapshot=catalogue.snapshot,
            drafts=text is not None,
            waiting=tuple(sorted(declared - workspace.tasks.types.keys())),
            at=now,
            since=asked.since,
            log_from=log_from,
        ),
        today=datetime.fromtimestamp(now / 1000, UTC).date(),
        tasks=tuple(workspace.tasks.types.values()),
        pages=pages,
        drafts=drafts,
        people=tuple(_people(seen, store, pages, _mentioned(catalogue, drafts, traffic), asked))
        if asked.rights
        else (),
        traffic=traffic,
        rates={},
        live={name: source.settings.tool for name, source in workspace.live.items()},
        acts=tuple(_acts(workspace)),
        approvers={
            name: (*role.persons, *(f"group {group}" for group in role.groups))
            for name, role in workspace.settings.approvals.roles.items()
        },
        packs=_packs(),
        requests=Counter(request.item for request in asked_for if request.item),
        disputed=frozenset((each.task, each.need) for each in asked_for if each.kind == "contradicted"),
    )


def _published(place: Place, store: Store) -> _Seen | None:
    """What the workers decide under, without reading a page; None before the first publish."""
    revision = published_revision(store)
    if not revision:
        return None
    loaded = load_revision(store, revision, with_pages=False)
    now = SystemClock().now()
    workspace = compile_workspace(loaded.text, secrets(place.workspace), now=now, pages_elsewhere=bool(loaded.snapshot))
    names = workspace.policy.names_items
    catalogue = load_catalogue(store, loaded.snapshot, names_items=names) if loaded.snapshot else Catalogue()
    return _Seen(workspace, catalogue, revision)


def _in_folder(place: Place) -> _Seen:
    workspace = in_folder(place)
    return _Seen(workspace, catalogue_of(workspace.items, names_items=workspace.policy.names_items), "")


def _text(place: Place) -> WorkspaceText | None:
    """What lies in the folder now; None where it cannot be read, which what is published can do without."""
    try:
        return read_folder(place.workspace)
    except BadInput as error:
        say(f"drafts are left out, because the folder cannot be read: {error.message}")
        return None


def _drafts(text: WorkspaceText, workspace: Workspace) -> tuple[Draft, ...]:
    """What lies in the folder and is not published. A page that cannot be read is told and passed over:
    `fairlead check` says more."""
    pages = [(path, page) for path, page in text.below("context", ".md") if _UNPUBLISHED.search(page, 0, _FRONT)]
    found: list[Draft] = []
    with progress("reading drafts", len(pages)) as step:
        for path, page in pages:
            try:
                item = read_item(path.removeprefix("context/"), page, workspace.settings.context)
            except BadInput as error:
                say(f"left out: {error.message}")
            else:
                if item.status not in (PUBLISHED, "retired"):
                    found.append(_draft(item, page))
            step()
    return tuple(found)


def _draft(item: Item, page: bytes) -> Draft:
    return Draft(
        id=item.id,
        title=item.title,
        kind=item.kind,
        status=item.status,
        topics=item.topics,
        owner=item.owner,
        review_by=item.review_by,
        questions=unanswered(page.decode("utf-8-sig")),
        audience=item.audience,
    )


def _traffic(store: Store, since: int) -> tuple[Traffic, int]:
    """What the records since then tell, and when the first record of all was made (0: there is none)."""
    log = log_of(store)
    everything = log.since(0)
    first = next(everything, None)
    everything.close()
    return traffic_of(_records(store, since)), first.at if first is not None else 0


def _records(store: Store, since: int) -> Iterator[Record]:
    log = log_of(store)
    with log.at_one_moment() as moment:
        size = moment.head().size
    with progress("reading records", size) as step:
        done = 0
        for row in log.since(since):
            step(row.seq - done)
            done = row.seq
            yield record_of(row)


def _mentioned(catalogue: Catalogue, drafts: Iterable[Draft], traffic: Traffic) -> set[str]:
    """Departments that have asked, or that pages are for."""
    audiences = (*(access.audience for access in catalogue.accesses), *(draft.audience for draft in drafts))
    pages = {name.removeprefix(_DEPARTMENT) for each in audiences for name in each if name.startswith(_DEPARTMENT)}
    return pages | {department for _, department in traffic.calls}


def _people(
    seen: _Seen, store: Store | None, pages: Iterable[Page], mentioned: set[str], asked: Asked
) -> Iterator[People]:
    """Who there is in each department: by keys, by what the command says, or because it is mentioned. Rights are asked
    for as far as some need may hang on them."""
    shelf = Shelf(pages)
    needs = [need for task in seen.workspace.tasks.types.values() for need in task.requires]
    accesses = tuple({page.access for need in needs for page in shelf.answering(need)})
    by_department: dict[str, dict[str, Caller]] = {}
    for caller in (*_declared(seen.workspace), *known_callers(seen.workspace, store)):
        by_department.setdefault(caller.department, {}).setdefault(caller.person, caller)
    for department, groups in asked.people.items():
        by_department.setdefault(department, {})[f"{_SOMEBODY} of {department}"] = _somebody(department, groups)
    departments = sorted(by_department.keys() | mentioned) or [""]
    with progress("asking for rights", len(departments)) as step:
        for department in departments:
            callers = by_department.get(department) or {"": _somebody(department, frozenset())}
            readers = tuple(_readers(seen.workspace, accesses, callers.values()))
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


def _readers(workspace: Workspace, accesses: Sequence[Access], callers: Iterable[Caller]) -> Iterator[Reader]:
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


def _acts(workspace: Workspace) -> Iterator[Act]:
    """The tools that change something, with the roles whose word policies want before."""
    asking = Scopes([each for each in workspace.policy.statements if each.approval])
    for system in workspace.systems.values():
        for tool in system.tools.values():
            if tool.definition.effect != "read":
                yield Act(
                    tool=tool.name,
                    about=tool.definition.description,
                    effect=tool.definition.effect,
                    approvals=tuple(sorted({each.approval for each in asking.about(tool)})),
                )


def _open_requests(store: Store) -> "list[RequestRow]":
    return Requests(store, SystemClock()).listed("open")


def _packs() -> dict[str, str]:
    """Which starter pack has a page for a topic: the first one."""
    found: dict[str, str] = {}
    for function in FUNCTIONS:
        for item in starter(function).items:
            for topic in item.topics:
                found.setdefault(topic, function)
    return found
