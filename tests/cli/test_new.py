"""Templates: whole when they are new, at peace with what is there, and each case of theirs comes out right."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Fairlead

from fairlead.cli.brought import with_files
from fairlead.cli.evaluating import Case, cases_of, differences, went_through, wrong_in
from fairlead.cli.main import run
from fairlead.cli.opening import open_store
from fairlead.cli.place import find, user
from fairlead.cli.resting import rests
from fairlead.cli.surroundings import surroundings
from fairlead.errors import BadInput
from fairlead.identity import Caller
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.solutions import adding, joining, solution, solutions, write

NAMES = sorted(solutions())


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_sound_workspace_with_all_that_it_promises(
    name: str, fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fairlead("new", name, tmp_path / "acme", "--json").json
    monkeypatch.chdir(tmp_path / "acme")
    assert made["key"].startswith("fl_")
    assert made["then"]
    assert (Path("playbooks") / f"{name}.md").read_text().count("\n## Day ") == 3
    assert fairlead("check").status == 0
    assert fairlead("policy", "test").status == 0
    assert list(cases_of(Path(), name))
    for workflow in fairlead("workflow", "list", "--json").json:
        walked = fairlead("workflow", "dry-run", workflow["workflow"])
        assert walked.status == 0, (workflow["workflow"], walked.err)
    twice = fairlead("new", name)
    assert twice.status == 2
    assert "already" in twice.err


async def test_all_templates_go_into_one_workspace_and_every_case_of_theirs_comes_out_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        what = adding(name, tmp_path / "acme", {"organisation": "acme"})
        assert what.by_hand == {}, "templates say nothing that another one says otherwise"
        assert run(["new", name, "acme"]) == 0
    monkeypatch.chdir("acme")
    # Not by the fixture: it closes what is written to, and the carriage's log would keep that for tests to come.
    assert await asyncio.to_thread(run, ["apply", "--yes"]) == 0
    place = find(None)
    store = open_store(place)
    running = await assemble(surroundings(place, store, walks=8))
    try:
        async with asyncio.timeout(300):
            wrong = await asyncio.gather(*(_come_out(running, case) for case in cases_of(Path(), "")))
    finally:
        await running.stop()
        store.close()
    assert [each for found in wrong for each in found] == []


async def _come_out(running: Running, case: Case) -> list[str]:
    who = Caller(person=user(), credential="key:admin", groups=frozenset({"admins"}), roles=frozenset({"admin"}))
    given = with_files(case.input, case.files, case.texts, Path())
    begun = running.workflows.begin(who, case.workflow, given, once="", door="test")["id"]
    # Each look reads the database, of 35 runs at once; most looks read one row.
    while running.runs.one(begun).status not in ("done", "failed", "waiting") or not rests(
        found := running.workflows.shown(begun, who)
    ):
        await asyncio.sleep(0.5)
    return [f"{case.name}: {each}" for each in wrong_in(case, found)]


def test_a_template_says_what_it_needs_that_is_not_installed(
    fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.workspace.solutions.find_spec", lambda name: None if name == "sqlglot" else name)
    assert "pip install 'fairlead[sql]'" in fairlead("new", "store-assistant", tmp_path / "acme").err


def test_templates_are_listed(fairlead: Fairlead) -> None:
    assert fairlead("new", "--json").json.keys() == set(NAMES)
    assert all(solution(name).about in fairlead("new").out for name in NAMES)
    unknown = fairlead("new", "invoice-procesing")
    assert unknown.status != 0
    assert "did you mean `invoice-processing`?" in unknown.err


def test_what_is_there_stays_and_gets_what_is_missing(fairlead: Fairlead, tmp_path: Path) -> None:
    acme = tmp_path / "acme"
    fairlead("init", acme)
    (acme / "workflows").mkdir()
    (acme / "workflows" / "invoice.yaml").write_text("mine")
    before = (acme / "fairlead.yaml").read_text()
    tried = fairlead("new", "invoice-processing", acme, "--dry-run")
    assert "workflows/invoices.py" in tried.out
    assert not (acme / "workflows" / "invoices.py").exists()
    made = fairlead("new", "invoice-processing", acme, "--json").json
    assert made["left"] == ["workflows/invoice.yaml"]
    assert set(made["joined"]) == {"fairlead.yaml", "policies/tests.yaml"}
    assert (acme / "workflows" / "invoice.yaml").read_text() == "mine"
    after = (acme / "fairlead.yaml").read_text()
    assert after.startswith(before.rstrip())
    assert {"systems", "approvals", "models"} <= yaml.safe_load(after).keys()
    (acme / "fairlead.yaml").write_text(before + "approvals: {roles: {accounts-payable: {persons: [kim]}}}\n")
    assert "fairlead.yaml" in fairlead("new", "invoice-processing", acme, "--json").json["by_hand"]


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_on_a_full_disk_nothing_is_left_of_a_template_and_what_was_there_is_as_it_was(
    fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = tmp_path / "acme"
    acme.mkdir()
    (acme / "fairlead.yaml").write_text("models: {}\n")
    (acme / "policies").mkdir()
    monkeypatch.setattr("fairlead.workspace.solutions.copymode", _full)
    said = fairlead("new", "store-assistant", acme)
    assert said.status == 2
    assert "nothing of the template was left behind" in said.err
    assert [path.name for path in acme.rglob("*") if path.is_file()] == ["fairlead.yaml"]
    assert (acme / "fairlead.yaml").read_text() == "models: {}\n"


@pytest.mark.parametrize("fails", [1, 2])
def test_where_a_file_cannot_be_replaced_all_is_as_it_was_also_through_links(
    fails: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, link, shared = tmp_path / "acme", tmp_path / "link", tmp_path / "shared.yaml"
    (acme / "policies").mkdir(parents=True)
    link.symlink_to(acme)
    shared.write_text("models: {}\n")
    (acme / "fairlead.yaml").symlink_to(shared)
    (acme / "policies" / "tests.yaml").write_text("tests:\n  - {name: mine}\n")
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    replaced: list[Path] = []

    def replace(path: Path, target: Path) -> None:
        if path.name.endswith(".partial"):
            replaced.append(target)
            if len(replaced) == fails:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        os.replace(path, target)

    what = adding("store-assistant", link, {"organisation": "acme"})
    assert len(what.joined) == 2
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(BadInput) as failed:
        write("store-assistant", link, what)
    assert "nothing of the template was left behind" in failed.value.mend
    assert {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == before
    monkeypatch.undo()
    write("store-assistant", link, what)
    assert not [path for path in tmp_path.rglob(".*") if path.suffix in (".before", ".partial")]


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("command", [("init",), ("new", "store-assistant")])
def test_on_a_full_disk_no_half_made_workspace_is_left(
    command: tuple[str, ...], there: bool, fairlead: Fairlead, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = tmp_path / "acme"
    if there:
        acme.mkdir()
    monkeypatch.setattr("fairlead.cli.setting_up.write_schemas", _full)
    said = fairlead(*command, acme)
    assert said.status == 2
    assert "nothing of it was left behind" in said.err
    assert os.strerror(errno.ENOSPC) in said.err
    assert acme.exists() == there
    assert list(tmp_path.rglob("acme/*")) == []


def test_another_folder_is_left_alone(fairlead: Fairlead, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    said = fairlead("new", "invoice-processing", tmp_path)
    assert said.status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("text", "more", "wanted"),
    [
        ("a: 1\n", "b: 2\n", "a: 1\n\nb: 2\n"),
        ("a:\n    x: 1  # mine\n\nb: 1\n", "a:\n  y:\n    z: 2\n", "a:\n    x: 1  # mine\n    y:\n      z: 2\nb: 1\n"),
        ("t:\n- one\n", "t:\n  - two\n", "t:\n- one\n- two\n"),
        ("a:\n  x: 1\n", "a:\n  x: 1\n", "a:\n  x: 1\n"),
        ("a: {x: 1}\n", "a:\n  y: 2\n", None),
        ("a:\n  x: 1\n", "a:\n  x: 2\n", None),
        ("a: [\n", "b: 1\n", None),
    ],
)
def test_texts_are_joined_or_left(text: str, more: str, wanted: str | None) -> None:
    assert joining.joined(text.encode(), more.encode()) == (wanted.encode() if wanted else None)


@pytest.mark.parametrize(
    ("expected", "found", "differs"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "c": 3}], "d": 4}, False),
        ({"a": 1}, {}, True),
        ([1], [1, 2], True),
        (True, 1, True),
        (1.0, 1, False),
    ],
)
def test_what_comes_out_holds_what_is_expected(expected: Any, found: Any, differs: bool) -> None:
    assert bool(list(differences(expected, found, "output"))) == differs


def test_a_run_that_would_have_asked_a_person_did_not_go_through() -> None:
    assert went_through({"status": "done", "output": {"straight_through": True}})
    assert went_through({"status": "done", "output": "text"})
    assert not went_through({"status": "done", "output": {"straight_through": False}})
    assert not went_through({"status": "waiting"})
