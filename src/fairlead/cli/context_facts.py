"""Gathers what inventory and readiness rest on: what is published or lies in the folder, whose keys there are and what
they may, and what the records tell."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.cli.compiled import in_folder, published_revision
from fairlead.cli.context_people import mentioned, people_of
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import progress, say
from fairlead.cli.place import Place, secrets
from fairlead.cli.records import record_of
from fairlead.clock import SystemClock
from fairlead.context.catalogue import Catalogue, catalogue_of, load_catalogue
from fairlead.context.items import read_item
from fairlead.context.kinds import PUBLISHED
from fairlead.context.questions import unanswered
from fairlead.context.readiness import Act, Basis, Draft, Facts, Page, People, Rate, Traffic
from fairlead.context.types import Item
from fairlead.context.upkeep.measured import measured
from fairlead.context.upkeep.requests import Requests
from fairlead.costs.record import Record
from fairlead.errors import BadInput
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
_UNPUBLISHED: Final = re.compile(rb"""^["']?status["']?[ \t]*:[ \t]*["']?(?:draft|review)""", re.MULTILINE)


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
    asked_for = _open_requests(store) if store is not None else []
    workspace, catalogue = seen.workspace, seen.catalogue
    pages = tuple(Page(entry, catalogue.access_of(entry)) for entry in catalogue.entries)
    return Facts(
        basis=_basis(seen, text, now, asked.since, log_from),
        today=datetime.fromtimestamp(now / 1000, UTC).date(),
        tasks=tuple(workspace.tasks.types.values()),
        pages=pages,
        drafts=drafts,
        people=_people(seen, store, asked, pages, mentioned(catalogue, drafts, traffic)),
        traffic=traffic,
        rates=_rates(store, catalogue, now) if store is not None else {},
        live={name: source.settings.tool for name, source in workspace.live.items()},
        acts=tuple(_acts(workspace)),
        approvers={
            name: (*role.persons, *(f"group {group}" for group in role.groups))
            for name, role in workspace.settings.approvals.roles.items()
        },
        packs=_packs(),
        requests=Counter(request.item for request in asked_for if request.item),
        gone=frozenset(each.need for each in asked_for if each.kind == "vacancy" and each.need),
        disputed=frozenset((each.task, each.need) for each in asked_for if each.kind == "contradicted"),
    )


def _basis(seen: _Seen, text: WorkspaceText | None, now: int, since: int, log_from: int) -> Basis:
    declared = {task_name(path) for path, _ in text.below("tasks", ".yaml")} if text is not None else set()
    return Basis(
        source="published" if seen.revision else "folder",
        organisation=seen.workspace.organisation,
        revision=seen.revision,
        snapshot=seen.catalogue.snapshot,
        drafts=text is not None,
        waiting=tuple(sorted(declared - seen.workspace.tasks.types.keys())),
        at=now,
        since=since,
        log_from=log_from,
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


def _people(
    seen: _Seen, store: Store | None, asked: Asked, pages: tuple[Page, ...], departments: set[str]
) -> tuple[People, ...]:
    return tuple(people_of(seen.workspace, store, pages, departments, asked.people)) if asked.rights else ()


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


def _rates(store: Store, catalogue: Catalogue, now: int) -> dict[str, Rate]:
    """How often pages changed that were seen to change."""
    seen = measured(store, catalogue, now)
    return {item: Rate(1 / each.daily, measured=True) for item, each in seen.items() if each.changes}


def _packs() -> dict[str, str]:
    """Which starter pack has a page for a topic: the first one."""
    found: dict[str, str] = {}
    for function in FUNCTIONS:
        for item in starter(function).items:
            for topic in item.topics:
                found.setdefault(topic, function)
    return found
