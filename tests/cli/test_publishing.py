"""Check, apply, and what was published."""

from pathlib import Path

from tests.cli.conftest import Fairlead


def change(folder: Path, old: str, new: str) -> None:
    entry = folder / "fairlead.yaml"
    text = entry.read_text()
    assert old in text
    entry.write_text(text.replace(old, new))


def test_a_sound_workspace_passes_and_says_what_it_holds(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("check")
    assert said.status == 0
    assert said.out == ""
    assert "acme is sound: 3 models" in said.err
    assert "models.small is left out on this machine: no key: OPENAI_API_KEY is not set" in said.err


def test_every_problem_is_told_with_its_line_and_its_mend(acme: Path, fairlead: Fairlead) -> None:
    change(acme, "prefer:", "perfer:")
    change(acme, "fallback: true", "fallback: 7")
    said = fairlead("check", acme)
    assert said.status == 1
    lines = said.out.splitlines()
    places = [line.partition(": ")[0] for line in lines if not line.startswith("    ")]
    assert len(places) == 2
    assert all(place.startswith("fairlead.yaml:") and place.count(":") == 2 for place in places)
    assert "did you mean `prefer`?" in said.out
    assert "2 problems [invalid_workspace]" in said.err


def test_programs_get_problems_as_json(acme: Path, fairlead: Fairlead) -> None:
    change(acme, "prefer:", "perfer:")
    said = fairlead("check", "--json")
    assert said.status == 1
    assert said.json["ok"] is False
    (problem,) = said.json["problems"]
    assert problem["file"] == "fairlead.yaml"
    assert problem["line"] > 1
    assert fairlead("apply", "--yes").status == 1


def test_a_policy_test_that_fails_keeps_the_workspace_from_being_published(acme: Path, fairlead: Fairlead) -> None:
    tests = acme / "policies" / "tests.yaml"
    tests.write_text(tests.read_text().replace("expect: deny", "expect: allow", 1))
    said = fairlead("check")
    assert said.status == 1
    assert "policies/tests.yaml:" in said.out
    assert fairlead("apply").status == 1
    assert fairlead("revisions", "list", "--json").json == []


def test_apply_publishes_and_names_the_revision(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("apply")
    assert said.status == 0, said.err
    revision = said.out.strip()
    assert f"revision {revision} is in force" in said.err
    listed = fairlead("revisions", "list", "--json").json
    assert [(each["revision"], each["in_force"]) for each in listed] == [(revision, True)]


def test_publishing_the_same_again_changes_nothing(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("apply")
    assert said.status == 0
    assert "was in force already" in said.err
    assert len(fairlead("revisions", "list", "--json").json) == 1


def test_a_dry_run_shows_what_would_change_and_changes_nothing(live: Path, fairlead: Fairlead) -> None:
    change(live, "monthly: 200", "monthly: 300")
    said = fairlead("apply", "--dry-run")
    assert said.status == 0
    assert said.out.splitlines() == ["changed file fairlead.yaml", "changed budget organisation"]
    assert len(fairlead("revisions", "list", "--json").json) == 1
    assert fairlead("apply", "--dry-run", "--json").json[0]["effect"] == "changed"


def test_revisions_can_be_shown_and_compared(live: Path, fairlead: Fairlead) -> None:
    first = fairlead("revisions", "list", "--json").json[0]["revision"]
    change(live, "monthly: 200", "monthly: 300")
    assert fairlead("revisions", "diff").out.splitlines() == [
        "changed file fairlead.yaml",
        "changed budget organisation",
    ]
    fairlead("apply")
    assert "monthly: 300" in fairlead("revisions", "show", "--file", "fairlead.yaml").out
    assert "monthly: 200" in fairlead("revisions", "show", first[:6], "--file", "fairlead.yaml").out
    assert fairlead("revisions", "diff", first, "current").out.splitlines()[-1] == "changed budget organisation"
    assert fairlead("revisions", "show", "nope").status == 2


def test_a_folder_without_state_says_how_to_make_it(fairlead: Fairlead, tmp_path: Path) -> None:
    fairlead("init", tmp_path / "acme")
    (tmp_path / "acme" / ".fairlead" / "state.db").unlink()
    said = fairlead("apply", tmp_path / "acme")
    assert said.status == 2
    assert "fairlead migrate -w" in said.err
