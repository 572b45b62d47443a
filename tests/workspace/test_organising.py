"""Pages that say who approves: only where it was asked for, and only pages that somebody else has verified."""

import pytest

from fairlead.workspace.compile import Workspace, compile_workspace
from fairlead.workspace.organising import approvals_at
from fairlead.workspace.problems import InvalidWorkspace
from fairlead.workspace.text import WorkspaceText

NOW = 1_796_000_000_000  # 2026-11-30
GOOD = "kind: unit\nhead: ana\nmembers: [kim]\nverified: {by: zoe, at: 2026-11-01}"


def compiled(front: str, approvals: str = "{organisation: true}") -> Workspace:
    entry = f"organisation: acme\nmodels: {{local: local/extractive}}\napprovals: {approvals}\n"
    page = f"---\n{front}\n---\nSales."
    return compile_workspace(
        WorkspaceText({"fairlead.yaml": entry.encode(), "context/org/sales.md": page.encode()}), lambda _: "", now=NOW
    )


def test_a_verified_page_says_who_manages_whom_where_the_workspace_says_that_pages_count() -> None:
    assert compiled(GOOD).approvals.settings.managers == {"kim": "ana"}
    assert compiled(GOOD, "{}").approvals.settings.managers == {}


@pytest.mark.parametrize(
    ("front", "why"),
    [
        (GOOD.replace("verified: {by: zoe, at: 2026-11-01}", "owner: zoe"), "nobody has verified it"),
        (GOOD.replace("{by: zoe, at: 2026-11-01}", "2026-11-01"), "nobody has verified it"),
        (GOOD.replace("zoe", "Ana"), "Ana has verified it and is named by it: somebody else must"),
        (f"{GOOD}\nexpires: 2026-11-29", "it expired on 2026-11-29"),
        (f"{GOOD}\ntrusted: false", "it comes from elsewhere"),
        (f"{GOOD}\nsource: wiki", "it comes from elsewhere"),
    ],
)
def test_a_page_that_cannot_be_relied_on_decides_nothing_and_the_check_says_why(front: str, why: str) -> None:
    workspace = compiled(front)
    assert workspace.approvals.settings.managers == {}
    assert f"context/org/sales.md does not count for approvals: {why}" in " ".join(workspace.warnings)


def test_what_a_page_says_ends_with_the_page_by_the_clock() -> None:
    (item,) = compiled(f"{GOOD}\nexpires: 2026-12-01").items
    rules_at = approvals_at([item], compiled("status: draft").approvals)
    managers = [rules_at(NOW + days * 86_400_000).settings.managers for days in (0, 1, 0)]
    assert managers == [{"kim": "ana"}, {}, {"kim": "ana"}]


def test_a_draft_decides_nothing() -> None:
    assert compiled(f"{GOOD}\nstatus: draft").approvals.settings.managers == {}


def test_what_cannot_be_true_is_a_problem_of_its_page() -> None:
    with pytest.raises(InvalidWorkspace) as caught:
        compiled("kind: unit\nparent: sales")
    assert str(caught.value.problems[0]).startswith("context/org/sales.md: the units stand in a circle: sales -> sales")


def test_an_owner_whom_nobody_knows_is_told_where_pages_say_who_there_is() -> None:
    said = " ".join(compiled(f"{GOOD}\nowner: salse", "{}").warnings)
    assert "context/org/sales.md is owned by 'salse', whom no key, setting, unit or role knows: did you mean" in said
    assert "is owned by" not in " ".join(compiled(f"{GOOD}\nowner: sales", "{}").warnings)
    assert "is owned by" not in " ".join(compiled("owner: anybody", "{}").warnings)
