"""The life of a page at the command line: drafted, published, verified, changed, renamed, retired."""

from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead

from fairlead.cli.page_files import replace_file
from fairlead.errors import BadInput

LONG = "Customers may return a lamp within sixty days of the day on which they bought it, with the receipt. " * 3


def test_a_page_is_verified_by_changing_one_line(acme: Path, fairlead: Fairlead) -> None:
    page = acme / "context" / "handbook" / "travel.md"
    before = page.read_text()
    tried = fairlead("context", "verify", "handbook/travel", "--by", "me", "--on", "2026-11-20", "--dry-run")
    assert "+verified: {by: " in tried.out
    assert page.read_text() == before
    said = fairlead("context", "verify", "context/handbook/travel.md", "--by", "Kim B", "--on", "2026-11-20", "--json")
    assert [(each["item"], each["changed"]) for each in said.json] == [("handbook/travel", True)]
    shown = fairlead("context", "show", "handbook/travel", "--json").json
    assert (shown["verified_by"], shown["verified"]) == ("Kim B", "2026-11-20")
    kept = [line for line in before.split("\n") if not line.startswith("verified")]
    assert [line for line in page.read_text().split("\n") if not line.startswith("verified")] == kept
    assert (
        "says so already" in fairlead("context", "verify", "handbook/travel", "--by", "Kim B", "--on", "2026-11-20").err
    )
    assert fairlead("context", "verify", "handbook/travel", "--on", "2999-01-01").status == 2


def test_a_page_that_somebody_saves_meanwhile_keeps_what_they_wrote(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("theirs")
    with pytest.raises(BadInput, match="was changed while"):
        replace_file(page, b"as it was read", b"ours")
    assert [each.name for each in tmp_path.iterdir()] == ["a.md"]
    assert page.read_text() == "theirs"


def test_a_page_that_is_not_there_is_named_with_the_one_most_like_it(acme: Path, fairlead: Fairlead) -> None:
    for command in (["show"], ["retire"], ["diff"], ["verify"]):
        said = fairlead("context", *command, "handbook/travle")
        assert said.status == 2
        assert "did you mean `handbook/travel`?" in said.err
    assert fairlead("context", "retire", "../../etc/passwd").status == 2
    assert fairlead("context", "retire", "../README").status == 2, "it is below the workspace, and no page"


def test_a_retired_page_is_gone_from_answers_and_its_history_stays(live: Path, fairlead: Fairlead) -> None:
    assert fairlead("context", "retire", "handbook/travel").status == 0
    assert "handbook/travel: would be taken back (retired)" in fairlead("context", "diff").out
    assert fairlead("apply", live).status == 0
    assert "handbook/travel@" not in fairlead("context", "search", "hotel price").out
    assert "not published (retired" in fairlead("context", "diff", "handbook/travel").err
    (version,) = fairlead("context", "history", "handbook/travel", "--json").json
    assert not version["in_force"]
    assert fairlead("context", "publish", "handbook/travel").status == 0
    assert fairlead("apply", live).status == 0
    (again,) = fairlead("context", "history", "handbook/travel", "--json").json
    assert again == {**version, "in_force": True}


def test_what_changed_is_told_by_section_and_across_a_rename(live: Path, fairlead: Fairlead) -> None:
    page = live / "context" / "returns.md"
    page.write_text(f"# Returns\n\n{LONG}\n\n# Abroad\n\n{LONG.replace('sixty', 'ninety')}")
    assert "returns: would be published" in fairlead("context", "diff").out
    fairlead("apply", live)
    page.write_text(f"# Returns\n\n{LONG}\n\n# Abroad\n\n{LONG.replace('sixty', 'eighty')}\n\n# New\n\n{LONG[:60]}")
    said = fairlead("context", "diff", "returns").out
    assert "== Abroad [changed]" in said
    assert "eighty" in said
    assert "Returns [" not in said
    page.rename(live / "context" / "refunds.md")
    fairlead("apply", live)
    new, old = fairlead("context", "history", "refunds", "--json").json
    assert (new["item"], new["in_force"], old["item"], old["in_force"]) == ("refunds", True, "returns", False)
    assert [each["state"] for each in new["changed"]["sections"]] == ["changed", "new"]
    assert "1 section changed, 1 section new" in fairlead("context", "history", "returns").out
    versions = fairlead("context", "diff", f"returns@{old['version']}", f"refunds@{new['version']}", "--json").json
    assert [each["heading"] for each in versions["sections"]] == ["Abroad", "New"]
    assert "nothing would change" in fairlead("context", "diff").err


def test_pages_are_listed_by_what_they_are(acme: Path, fairlead: Fairlead) -> None:
    (acme / "context" / "lamp.md").write_text("---\nkind: term\nstatus: draft\nsynonyms: [light]\n---\nA light.")
    (found,) = fairlead("context", "list", "--kind", "term", "--json").json
    assert (found["item"], found["synonyms"], found["status"]) == ("lamp", ["light"], "draft")
    assert fairlead("context", "list", "--status", "retired", "--json").json == []


def test_a_broken_page_is_left_out_when_somebody_says_so_and_named(live: Path, fairlead: Fairlead) -> None:
    (live / "context" / "broken.md").write_text("---\naudiance: [board]\n---\nSecret.")
    assert fairlead("apply", live).status == 1
    said = fairlead("apply", live, "--leave-out-broken", "--json")
    assert said.status == 0
    assert [each["file"] for each in said.json["left_out"]] == ["context/broken.md"]
    assert "left out: context/broken.md:2: `audiance` is not a key" in said.err
