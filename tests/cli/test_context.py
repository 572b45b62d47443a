"""Context at the command line: what there is, and what somebody would be given of it."""

from pathlib import Path

from tests.cli.conftest import Fairlead


def test_pages_are_listed_with_who_may_read_them(acme: Path, fairlead: Fairlead) -> None:
    listed = {each["item"]: each for each in fairlead("context", "list", "--json").json}
    assert listed["handbook/pay-review"]["audience"] == ["people"]
    assert listed["handbook/pay-review"]["class"] == "confidential"
    assert "handbook/travel" in fairlead("context", "list").out


def test_search_gives_only_what_that_person_may_read(live: Path, fairlead: Fairlead) -> None:
    others = fairlead("context", "search", "letters of the pay review", "--json").json
    assert "handbook/pay-review" not in {each["item"] for each in others}
    (hit, *_) = fairlead("context", "search", "letters of the pay review", "-g", "people", "--json").json
    assert hit["item"] == "handbook/pay-review"
    assert "handbook/travel@" in fairlead("context", "search", "hotel price").out
    why = fairlead("context", "search", "hotel price letters", "--explain")
    assert ", no. 1 by words" in why.out
    assert "section(s) with words of the question are not for" in why.err
    assert "pay-review" not in why.out + why.err
    told = fairlead("context", "search", "letters of the pay review", "-g", "people", "--explain", "--json").json
    assert (told["hits"][0]["why"]["nth_by_words"], told["hits"][0]["item"]) == (1, hit["item"])


def test_search_needs_something_published(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("context", "search", "hotel")
    assert said.status == 2
    assert "help: fairlead apply" in said.err


def test_a_page_is_shown_as_it_lies_and_as_it_was_published(live: Path, fairlead: Fairlead) -> None:
    shown = fairlead("context", "show", "handbook/travel", "--json").json
    assert shown["owner"] == "finance"
    page = live / "context" / "handbook" / "travel.md"
    page.write_text(page.read_text().replace("130", "150"))
    assert "up to 150 a night" in fairlead("context", "show", "handbook/travel").out
    assert "up to 130 a night" in fairlead("context", "show", f"handbook/travel@{shown['version']}").out
    assert fairlead("context", "show", "handbook/nothing").status == 2
    assert fairlead("context", "show", "handbook/travel@000000000000").status == 2


def test_a_page_that_was_edited_after_it_was_verified_is_listed_so(live: Path, fairlead: Fairlead) -> None:
    page = live / "context" / "handbook" / "travel.md"
    page.write_text("---\nowner: finance\nverified: {by: kim, at: 2026-11-01}\n---\n# Travel\n\nUp to 130 a night.\n")
    fairlead("apply")
    assert "changed since" not in fairlead("context", "list").out
    page.write_text(page.read_text().replace("130", "150"))
    fairlead("apply")
    assert "2026-11-01 (changed since)" in fairlead("context", "list").out
    listed = {each["item"]: each for each in fairlead("context", "list", "--json").json}
    assert listed["handbook/travel"]["changed_since_verified"]
