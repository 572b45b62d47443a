"""Templates: written once, never over anything, and each a workspace that compiles."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput, NotFound
from fairlead.workspace.load import read_folder
from fairlead.workspace.templates import TEMPLATES, filled, template_files, template_text, write_template
from fairlead.workspace.yaml_lines import Document, parse_yaml

NAMES = {"organisation": "Northlight Home"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_written_and_read_back(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    written = write_template(name, folder, NAMES)
    assert folder / "fairlead.yaml" in written
    assert (folder / ".gitignore").read_text().startswith("#")
    text = read_folder(folder)
    assert text.warnings == ()
    assert dict(text.files) == dict(template_text(name, NAMES).files)


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_placeholder_is_left(name: str) -> None:
    assert not [path for path, text in template_files(name, NAMES).items() if b"{{" in text]


def test_the_lean_template_has_ten_lines() -> None:
    assert len(template_files("lean", NAMES)["fairlead.yaml"].splitlines()) <= 10


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput) as caught:
        write_template("lean", tmp_path, NAMES)
    assert "notes.txt" in caught.value.why
    assert caught.value.mend
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text("mine")
    with pytest.raises(BadInput, match="not a folder"):
        write_template("lean", tmp_path / "acme", NAMES)


def test_an_unknown_template_suggests_a_known_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        write_template("retial", tmp_path, NAMES)
    assert "retail" in caught.value.mend


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="organisation"):
        write_template("lean", tmp_path / "x", {})


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30))
def test_any_name_of_an_organisation_reads_back_as_it_was_given(name: str) -> None:
    document = parse_yaml("fairlead.yaml", template_files("lean", {"organisation": name})["fairlead.yaml"])
    assert isinstance(document, Document)
    assert document.data["organisation"] == name


def test_the_days_of_pages_are_as_far_from_the_day_of_beginning_as_from_that_of_writing() -> None:
    page = "context/handbook/travel.md"
    then, later = (
        template_files("standard", {**NAMES, "today": today})[page].decode() for today in ("2026-11-21", "2028-01-01")
    )
    assert then == template_files("standard", NAMES)[page].decode()
    assert "review_by: 2027-03-31" in then
    assert [line for line in later.splitlines() if line not in then.splitlines()] == [
        "verified: {by: finance, at: 2027-10-26}",
        "review_by: 2028-05-10",
    ]


def test_days_in_what_a_page_says_stay() -> None:
    assert filled("a.md", "---\nreview_by: 2026-12-01\n---\nsince 2025-03-02\n", {"today": "2026-11-22"}) == (
        "---\nreview_by: 2026-12-02\n---\nsince 2025-03-02\n"
    )
