"""What Fairlead is made of: every dependency is pinned, hashed, complete, licensed, and written down."""

import json
import shutil
from pathlib import Path

import pytest

from tools import supply

ROOT = Path(__file__).parents[2]
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The project's own files, to be spoilt."""
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_locks_and_the_bill_of_materials_agree_with_the_project() -> None:
    assert supply.check(ROOT) == []


def test_the_bill_names_every_component_with_version_hashes_and_licence() -> None:
    made = json.loads((ROOT / supply.BILL).read_text("utf-8"))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    names = {each["name"]: each for each in made["components"]}
    assert {"cryptography", "uvicorn", "pytest", "hatchling"} <= names.keys()
    assert names["cryptography"]["scope"] == "required"
    assert names["pytest"]["scope"] == "excluded"
    for each in names.values():
        assert each["version"]
        assert each["licenses"]
        assert all(len(one["content"]) == 64 for one in each["hashes"])
        assert each["hashes"]
    assert len({each["bom-ref"] for each in names.values()}) == len(names)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("stranger==1.0", "not one version with sha256 hashes"),
        (f"stranger>=1.0 {HASH}", "not one version with sha256 hashes"),
        (f"stranger @ https://example.com/stranger-1.0.whl {HASH}", "not one version with sha256 hashes"),
        ("--index-url https://example.com/simple", "not one version with sha256 hashes"),
        (f"stranger==1.0 {HASH}", "stranger 1.0: licence not told"),
        (f"msgspec==0.22.1 {HASH}", "msgspec has two versions"),
    ],
)
def test_what_is_wrong_in_a_lock_is_found(tree: Path, line: str, says: str) -> None:
    with (tree / "locks/dev.txt").open("a") as lock:
        lock.write(line + "\n")
    assert any(says in problem for problem in supply.check(tree)), supply.check(tree)


def test_a_dependency_that_no_lock_holds_and_one_that_is_too_old_are_found(tree: Path) -> None:
    project = tree / "pyproject.toml"
    text = (
        project.read_text("utf-8")
        .replace('    "cedarpy', '    "stranger>=1",\n    "cedarpy')
        .replace("rich>=15", "rich>=99")
    )
    project.write_text(text.replace("<16", "<100"), "utf-8")
    problems = supply.check(tree)
    assert [problem.partition(" of ")[0] for problem in problems] == [
        "locks/runtime.txt does not hold stranger>=1",
        "locks/runtime.txt does not hold rich>=99,<100",
    ]


def test_what_an_installed_package_needs_must_be_held_too(tree: Path) -> None:
    lock = tree / "locks/runtime.txt"
    lines = lock.read_text("utf-8").split("\nmarkupsafe==")
    lock.write_text(lines[0] + "\n" + lines[1].partition("\n    # via mako\n")[2], "utf-8")
    dev = tree / "locks/dev.txt"
    dev.write_text(dev.read_text("utf-8").replace("markupsafe==", "somethingelse=="), "utf-8")
    assert any(problem.startswith("mako needs MarkupSafe") for problem in supply.check(tree))


def test_a_bill_that_is_out_of_date_is_found_and_written_anew(tree: Path) -> None:
    bill = tree / supply.BILL
    good = bill.read_text("utf-8")
    bill.write_text(good.replace('"scope": "required"', '"scope": "optional"', 1), "utf-8")
    assert supply.check(tree) == [f"{supply.BILL} is not what the locks say: python tools/supply.py --write"]
    assert supply.check(tree, write=True) == []
    assert bill.read_text("utf-8") == good


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", False),
        ("", False),
    ],
)
def test_a_licence_that_leaves_a_choice_or_a_sum_of_what_is_allowed_is_allowed(expression: str, allowed: bool) -> None:
    assert supply.is_allowed("anything", expression) is allowed
