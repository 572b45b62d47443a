"""`fairlead context start`: a checklist instead of a blank folder."""

from pathlib import Path

from tests.cli.conftest import Fairlead


def test_starting_writes_drafts_that_publish_nothing_and_never_overwrites(acme: Path, fairlead: Fairlead) -> None:
    before = fairlead("context", "list", "--json").json
    planned = fairlead("context", "start", "sales", "--owner", "sales=kim", "--dry-run", "--json").json
    assert planned["dry_run"]
    assert not (acme / "context" / "sales").exists()
    prices = acme / "context" / "sales" / "prices.md"
    prices.parent.mkdir()
    prices.write_text("# Ours\n")
    said = fairlead("context", "start", "sales", "--owner", "sales=kim")
    assert said.status == 0, said.err
    assert prices.read_text() == "# Ours\n"
    assert "left alone, because it is there already: context/sales/prices.md" in said.err
    assert "owner: kim" in (acme / "context/sales/discounts.md").read_text()
    assert sorted(said.out.split()) == sorted(set(planned["written"]) - {"context/sales/prices.md"})
    assert fairlead("check").status == 0
    assert len(before) < len(fairlead("context", "list", "--json").json)
    again = fairlead("context", "start", "sales", "--json").json
    assert again["written"] == []
    assert len(again["left"]) == len(planned["written"])


def test_a_draft_is_published_once_all_of_it_is_answered(acme: Path, fairlead: Fairlead) -> None:
    fairlead("context", "start", "sales", "--no-tasks")
    page = acme / "context" / "sales" / "discount-approval.md"
    refused = fairlead("context", "publish", "sales/discount-approval")
    assert refused.status == 2
    assert "6 question(s) have no answer" in refused.err
    assert "`covers` in the front matter / `approvers`" in refused.err
    assert "status: draft" in page.read_text()
    forced = page.read_text().replace("status: draft", "status: published")
    (page.parent / "prices.md").write_text(forced)
    assert "context/sales/prices.md is published and says that this is not answered yet" in fairlead("check").err
    page.write_text(page.read_text().replace("*Not answered yet.*", "The lead.").replace("  # not answered yet", ""))
    assert fairlead("context", "publish", "sales/discount-approval").status == 0
    assert "status: published" in page.read_text()
    assert fairlead("check").status == 0


def test_the_packs_can_be_looked_at_without_a_workspace(tmp_path: Path, fairlead: Fairlead) -> None:
    packs = fairlead("context", "start", "--list", "--json").json
    assert {"sales", "finance", "hr", "marketing", "legal", "company"} == packs.keys()
    assert "legal/clauses" in fairlead("context", "start", "legal", "--list").out


def test_what_cannot_be_started_says_why(acme: Path, fairlead: Fairlead) -> None:
    assert "help: fairlead context start sales" in fairlead("context", "start").err
    assert "help: did you mean" in fairlead("context", "start", "sale").err
    assert "--into is '../x'" in fairlead("context", "start", "sales", "--into", "../x").err
    assert "--owner is 'kim'" in fairlead("context", "start", "sales", "--owner", "kim").err
    assert not (acme / "context" / "sales").exists()
