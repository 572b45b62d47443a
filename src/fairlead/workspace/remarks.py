"""What is allowed and may still not be meant: warnings for whoever wrote the workspace. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from fairlead.context.catalogue import catalogue_of
from fairlead.context.kinds import PUBLISHED
from fairlead.context.questions import UNANSWERED, unanswered
from fairlead.context.sufficiency import answers
from fairlead.context.vector_space import vector_space
from fairlead.errors import closest
from fairlead.identity.addresses import is_loopback
from fairlead.labels import NO_LABELS
from fairlead.tools.settings import OpenApiSettings
from fairlead.workspace import cascading, money_named
from fairlead.workspace.organising import names_in, remarks_on, unknown_owners
from fairlead.workspace.page_standing import kept_from

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

_MODEL_NAMED = re.compile(r'Model::"([^"]+)"')
_MEMBERS_NAMED = re.compile(r'\b(Department|Group)::"([^"]+)"')

_OPEN: Final = UNANSWERED.lower().rstrip(".")
_MOST_TOLD: Final = 5
NOBODY_KNOWN: Final = "nobody is known yet: make a key with `fairlead key add`, or add `keys:` or `identity:`"
"""Said where a database is at hand and knows no key either."""

NOBODY_NAMED: Final = (
    "the workspace's text names no `keys:` and no `identity:`: only who has a key of `fairlead key add` is known "
    "(those are in the database; `fairlead key list` shows them)"
)
"""Said of a workspace by itself, whose database nobody has looked into."""


def about(workspace: Workspace, now: int) -> Iterator[str]:
    """Remarks on a workspace that compiles, at `now` (milliseconds since 1970)."""
    yield from _models(workspace)
    yield from _embedding(workspace)
    yield from _policies(workspace)
    yield from _doors(workspace)
    yield from _systems(workspace)
    yield from _pages(workspace, now)
    yield from cascading.remarks(workspace)
    yield from money_named.about(workspace, departments_of(workspace))


def _models(workspace: Workspace) -> Iterator[str]:
    unavailable = workspace.models.unavailable
    for name, why in unavailable.items():
        yield f"models.{name} is left out on this machine: {why}"
    if len(unavailable) == len(workspace.models.models):
        yield "no model is available on this machine, so every request will be refused"
    for name in workspace.models.models:
        if name not in workspace.rates:
            yield f"models.{name} has no known price: calls to it are refused until `prices.{name}` says what it costs"


def _embedding(workspace: Workspace) -> Iterator[str]:
    """A model that is to embed the pages, and may be given none."""
    space = vector_space(workspace.settings.context, workspace.models.models.values())
    if space is not None and (why := kept_from(workspace, space, NO_LABELS)):
        yield (
            f"context.embeddings: no page may be given to {space.model} ({why}): pages are given to it by the person "
            '`fairlead`, so permit (principal == Person::"fairlead", action in [Action::"call_model", '
            'Action::"release_reply"], resource)'
        )


def _policies(workspace: Workspace) -> Iterator[str]:
    yield from workspace.policy.notes
    for statement in workspace.policy.statements:
        for name in _MODEL_NAMED.findall(statement.text):
            if name not in workspace.models.models:
                yield f"{statement.where}: the policy {statement.id} names the model {name!r}, which does not exist"
    known = _memberships(workspace)
    for statement in workspace.policy.statements:
        for kind, name in sorted(set(_MEMBERS_NAMED.findall(statement.text))):
            like = closest(name, known[kind]) if name not in known[kind] else ""
            if like.startswith("did you mean"):
                yield f"{statement.where}: the policy {statement.id} names the {kind.lower()} {name!r}: {like}"


def _systems(workspace: Workspace) -> Iterator[str]:
    """Operations of described services that are no tools, although nobody has left them out."""
    for name, system in workspace.systems.items():
        if not isinstance(system.settings, OpenApiSettings):
            continue
        from fairlead.tools.openapi import left_out

        only = system.settings.only
        found = {
            each: why
            for each, why in left_out(name, system.settings, system.files).items()
            if any(fnmatchcase(each, pattern) for pattern in only)
        }
        for each in list(found)[:_MOST_TOLD]:
            yield f"systems.{name} leaves out {each}: {found[each]}"
        if len(found) > _MOST_TOLD:
            yield f"systems.{name} leaves out {len(found) - _MOST_TOLD} more operations: name those you want by `only`"


def _memberships(workspace: Workspace) -> dict[str, set[str]]:
    """The departments and groups that the workspace itself gives to callers, or money. Tokens and keys of the database
    may bring others, so that one that is not here is no error."""
    settings, nameless = workspace.settings, workspace.settings.identity.anonymous
    groups = {group for each in settings.keys.values() for group in each.groups} | set(nameless.groups)
    return {"Department": departments_of(workspace), "Group": groups}


def departments_of(workspace: Workspace) -> set[str]:
    """The departments that the workspace names."""
    settings = workspace.settings
    found = {each.department for each in settings.keys.values()} | {settings.identity.anonymous.department}
    return (found | settings.budgets.departments.keys()) - {"*", ""}


def _doors(workspace: Workspace) -> Iterator[str]:
    settings = workspace.settings
    if settings.identity.anonymous.allow and not is_loopback(settings.server.host):
        yield "identity.anonymous is on: programs on this machine, reverse proxies among them, need no key"
    server = settings.server
    if not (is_loopback(server.host) or server.tls or server.proxy):
        yield (
            f"server.host is {server.host}, and neither `server.tls` nor `server.proxy` is there: it will not be served"
        )
    if not (settings.keys or settings.identity.providers or settings.identity.anonymous.allow):
        yield NOBODY_NAMED


def _pages(workspace: Workspace, now: int) -> Iterator[str]:
    today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    for item in workspace.items:
        if item.review_by and item.review_by < today:
            yield f"context/{item.id}.md was due for review on {item.review_by} by {item.owner or 'its owner'}"
        if item.status == PUBLISHED and _OPEN in item.text.lower() and (left := unanswered(item.text)):
            yield f"context/{item.id}.md is published and says that this is not answered yet: {left[0]}"
    if not workspace.items and any(task.grounded for task in workspace.tasks.types.values()):
        yield "some task types are answered from context only, and there is no page below context/"
    yield from remarks_on(workspace.items, workspace.settings.approvals, now)
    yield from unknown_owners(workspace.items, names_in(workspace.settings, workspace.identity.keys))
    yield from _required(workspace)


def _required(workspace: Workspace) -> Iterator[str]:
    """What task types require, and no page is of it."""
    pages = catalogue_of(workspace.items).entries
    for name, type_ in workspace.tasks.types.items() if workspace.items else ():
        for need in type_.requires:
            if not need.live and not any(answers(page, need) for page in pages):
                yield f"tasks/{name}.yaml requires {need.name!r}, and no published page below context/ is of it"
