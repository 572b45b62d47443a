"""What pages of the context say of the organisation, and which of them approvals may rest on."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from fairlead.context.kinds import PUBLISHED
from fairlead.context.types import Item
from fairlead.policy.approvals import ApprovalRules, organised
from fairlead.policy.organisation import Organisation, faults, organisation_of, overruled
from fairlead.workspace.places import of_page
from fairlead.workspace.problems import Problem


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
        yield of_page("context/", f"{page}.md", error)


def approvals_by(pages: Iterable[Page], rules: ApprovalRules, now: int) -> ApprovalRules:
    """The rules, with what trustworthy pages say where `approvals.organisation` is on."""
    return organised(rules, _said(trustworthy(pages, now))) if rules.settings.organisation else rules


def remarks_on(items: Iterable[Item], rules: ApprovalRules, now: int) -> Iterator[str]:
    """Where pages say otherwise than the settings, and which pages do not count, where approvals rest on pages."""
    if not rules.settings.organisation:
        return
    published = [item for item in items if item.status == PUBLISHED and item.kind in ("unit", "role", "flow")]
    counting = list(trustworthy(published, now))
    yield from overruled(_said(counting), rules.settings)
    for item in published:
        if item not in counting:
            yield f"context/{item.id}.md does not count for approvals: {_why_not(item, _today(now))}"


def trustworthy(pages: Iterable[Page], now: int) -> Iterator[Page]:
    """Those whose words may decide who approves: written here, verified by somebody whom they do not name, not over."""
    today = _today(now)
    return (page for page in pages if not _why_not(page, today))


def _why_not(page: Page, today: str) -> str:
    if page.source or not page.trusted:
        return "it comes from elsewhere"
    if not page.verified or not page.verified_by:
        return "nobody has verified it (fairlead context verify)"
    if page.expires and page.expires < today:
        return f"it expired on {page.expires}"
    named = {name for key in ("head", "members", "holders", "manager") for name in page.fields.get(key, ())}
    if page.verified_by.casefold() in {name.casefold() for name in named}:
        return f"{page.verified_by} has verified it and is named by it: somebody else must"
    return ""


def _today(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()


def _said(pages: Iterable[Page]) -> Organisation:
    return organisation_of((page.id, page.kind, page.fields) for page in pages)
