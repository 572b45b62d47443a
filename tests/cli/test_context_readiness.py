"""`fairlead context inventory` and `readiness`: from a folder before the first publish, from what is in force after."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead, ask

REQUIRES = """
requires:
  - {need: travel rules, item: handbook/travel, owner: finance, otherwise: caveat}
  - {need: pay review, item: handbook/pay-review, owner: people, otherwise: caveat}
  - {need: prices in force, topics: [pricing], owner: sales, otherwise: caveat}
"""


def with_task(folder: Path) -> None:
    task = folder / "tasks" / "question.yaml"
    task.write_text(task.read_text() + REQUIRES)
    entry = folder / "fairlead.yaml"
    keys = {
        "kim": {"secret": "env:NOWHERE", "department": "people", "groups": ["people"]},
        "lee": {"secret": "env:NOWHERE_ELSE", "department": "sales"},
    }
    entry.write_text(entry.read_text() + f"\nkeys: {json.dumps(keys)}\n")


def test_a_folder_is_looked_at_before_anything_is_published(acme: Path, fairlead: Fairlead) -> None:
    with_task(acme)
    said = fairlead("context", "readiness", "--json")
    assert said.status == 0, said.err
    found = said.json
    assert found["basis"]["source"] == "folder"
    rows = {tuple(row["departments"]): row for row in found["rows"]}
    stands = {need["need"]: need["state"] for need in rows[("people",)]["needs"]}
    assert stands == {"travel rules": "met", "pay review": "met", "prices in force": "missing"}
    others = next(row for departments, row in rows.items() if "sales" in departments)
    assert [need["state"] for need in others["needs"]] == ["met", "hidden", "missing"]
    assert "write prices in force" in {step["what"].split(",")[0] for step in found["steps"]}
    fairlead("context", "start", "sales", "--no-tasks")
    step = next(each for each in fairlead("context", "readiness", "--json").json["steps"] if each["verb"] == "publish")
    assert step["command"] == "fairlead context publish sales/prices"
    assert "looked at the folder" in fairlead("context", "readiness").err


@pytest.fixture
def asked(live: Path, fairlead: Fairlead) -> Path:
    with_task(live)
    assert fairlead("apply", "--yes").status == 0
    ask(live, "Which hotel price is fine without approval?")
    fairlead("context", "start", "sales")
    (live / "context" / "broken.md").write_text("---\nstatus: draft\nclass: secret\n---\n")
    return live


def test_what_is_published_is_looked_at_with_traffic_and_drafts(
    asked: Path, fairlead: Fairlead, tmp_path: Path
) -> None:
    said = fairlead("context", "readiness", "--html", tmp_path / "r.html")
    assert said.status == 0, said.err
    assert "looked at revision" in said.err
    assert "left out: broken.md:3" in said.err
    assert "not published, and so not looked at (--folder does): sales-questions" in said.err
    assert "question" in said.out
    assert "<h1>Context readiness</h1>" in (tmp_path / "r.html").read_text()
    found = fairlead("context", "readiness", "--json", "--department", "sales", "--task", "question").json
    (row,) = found["rows"]
    assert (row["departments"], row["calls"], row["percent"]) == (["sales"], 1, 33)
    inventory = fairlead("context", "inventory", "--json", "--html", tmp_path / "i.html").json
    assert "<h1>Context inventory</h1>" in (tmp_path / "i.html").read_text()
    needs = {line["need"]: line["state"] for each in inventory["decisions"] for line in each["needs"]}
    assert needs["prices in force"] == "draft"
    travel = next(each for each in inventory["knowledge"] if each["id"] == "handbook/travel")
    assert travel["where"] == "context/handbook/travel.md"
    assert travel["tasks"][-1] == "question"
    assert "handbook/pay-review" in fairlead("context", "inventory", "-n", "99").out


def test_a_threshold_ends_the_command_for_those_who_wait_for_it(acme: Path, fairlead: Fairlead) -> None:
    unsaid = fairlead("context", "readiness", "--at-least", "1")
    assert unsaid.status == 1
    assert "no task type says what it requires" in unsaid.err
    with_task(acme)
    assert fairlead("context", "readiness", "--department", "people", "--at-least", "66").status == 0
    short = fairlead("context", "readiness", "--department", "people", "--at-least", "67")
    assert short.status == 1
    assert "66% of it is ready, and 67% is the least" in short.err


def test_people_without_keys_can_be_told_of(acme: Path, fairlead: Fairlead) -> None:
    with_task(acme)
    found = fairlead("context", "readiness", "--people", "board=people,everyone", "--department", "board", "--json")
    assert [need["state"] for need in found.json["rows"][0]["needs"]] == ["met", "met", "missing"]
    unknown = fairlead("context", "readiness", "--department", "bored")
    assert unknown.status == 2
    assert fairlead("context", "readiness", "--people", "board").status == 2
    assert "--html is report" in fairlead("context", "inventory", "--html", "report").err
    assert fairlead("context", "inventory", "--html", "nowhere/report.html").status == 2
