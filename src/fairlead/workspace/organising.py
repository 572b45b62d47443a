"""What pages of the context say of the organisation, and which of them approvals may rest on."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from fairlead.context.kinds import PUBLISHED
from fairlead.context.types import Item
from fairlead.errors import closest
from fairlead.identity import Key
from fairlead.policy.approval_settings import ApprovalSettings
from fairlead.policy.approvals import ApprovalRules, organised
from fairlead.policy.organisation import Organisation, faults, organisation_of, overruled
from fairlead.workspace.places import of_page
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings

_MOST_TOLD: Final = 5


class Page(Protocol):
    """An item, or what the catalogue of a snapshot knows of one."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def verified(self) -> str: ...
    @property
    def verified_by(self) -> str: ...
    @property
    def expires(self) -> str: ...
    @property
    def trusted(self) -> bool: ...
    @property
    def source(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]: ...


def problems_of(items: Iterable[Item], rules: ApprovalRules) -> Iterator[Problem]:
    """What cannot be true of what the pages to be published say, whether or not approvals rest on it."""
    published = [item for item in items if item.status == PUBLISHED]
    for page, error in faults(_said(published), rules.settings):
        yield of_page(f"{page}.md", error)


def approvals_of(items: Iterable[Item], rules: ApprovalRules, now: int) -> ApprovalRules:
    """The same as of the snapshot that these items are to become."""
    return approvals_by((item for item in items if item.status == PUBLISHED), rules, now)


def approvals_by(pages: Iterable[Page], rules: ApprovalRules, now: int) -> ApprovalRules:
    """The rules, with what trustworthy pages say where `approvals.organisation` is on."""
    return organised(rules, _said(trustworthy(pages, now))) if rules.settings.organisation else rules


def approvals_at(pages: Sequence[Page], rules: ApprovalRules) -> Callable[[int], ApprovalRules]:
    """The rules as `approvals_by` gives them at each moment, worked out once a day: what a page says ends with it."""
    known: list[tuple[str, ApprovalRules]] = [("", rules)]

    def at(now: int) -> ApprovalRules:
        day, found = known[0]
        if day != (today := _today(now)):
            found = approvals_by(pages, rules, now)
            known[0] = today, found
        return found

    return at


def remarks_on(items: Iterable[Item], settings: ApprovalSettings, now: int) -> Iterator[str]:
    """Where pages say otherwise than the settings, and which pages do not count, where approvals rest on pages."""
    if not settings.organisation:
        return
    published = [item for item in items if item.status == PUBLISHED and item.kind in ("unit", "role", "flow")]
    counting = list(trustworthy(published, now))
    yield from overruled(_said(counting), settings)
    for item in published:
        if item not in counting:
            yield f"context/{item.id}.md does not count for approvals: {_why_not(item, _today(now))}"


def names_in(settings: WorkspaceSettings, keys: Iterable[Key]) -> set[str]:
    """The names of persons and groups that settings and keys know, any of which may own a page."""
    approvals = settings.approvals
    names = {name for key in keys for name in (key.person, key.department, *key.groups, *key.roles)}
    names |= settings.budgets.departments.keys() | set(settings.context.audience)
    names |= approvals.roles.keys() | {name for role in approvals.roles.values() for name in role.persons}
    for pairs in (approvals.managers, approvals.heads):
        names |= pairs.keys() | set(pairs.values())
    return names - {""}


def unknown_owners(items: Iterable[Item], names: set[str]) -> Iterator[str]:
    """Pages whose owner is nobody that is known. Only where pages say what units and roles there are is a name that is
    in none of them more than one that was not mentioned."""
    published = [item for item in items if item.status == PUBLISHED]
    organised = [item for item in published if item.kind in ("unit", "role")]
    if not organised:
        return
    known = set(names)
    for item in organised:
        known |= {item.id, item.id.rpartition("/")[2], item.title}
        known |= {name for values in item.fields.values() for name in values}
    lost = [item for item in published if item.owner and item.owner not in known]
    for item in lost[:_MOST_TOLD]:
        like = closest(item.owner, known)
        mend = f": {like}" if like.startswith("did you mean") else ""
        yield f"context/{item.id}.md is owned by {item.owner!r}, whom no key, setting, unit or role knows{mend}"
    if len(lost) > _MOST_TOLD:
        yield f"{len(lost) - _MOST_TOLD} more pages have an owner whom nobody knows"


def trustworthy(pages: Iterable[Page], now: int) -> Iterator[Page]:
    """Those whose words may decide who approves: written here, verified by somebody whom they do not name, not over."""
    today = _today(now)
    return (page for page in pages if not _why_not(page, today))


def _why_not(page: Page, today: str) -> str:
    if page.source or not page.trusted:
        return "it comes from elsewhere"
    if not page.verified or not page.verified_by:
        return "nobody has verified it (fairlead context verify)"
    if page.expires and page.expires <= today:
        return f"it expired on {page.expires}"
    named = {name for key in ("head", "members", "holders", "manager") for name in page.fields.get(key, ())}
    if page.verified_by.casefold() in {name.casefold() for name in named}:
        return f"{page.verified_by} has verified it and is named by it: somebody else must"
    return ""


def _today(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()


def _said(pages: Iterable[Page]) -> Organisation:
    return organisation_of((page.id, page.kind, page.fields) for page in pages)
