"""Reading a folder: what belongs, what is left out, and what cannot be reached."""

import os
from pathlib import Path

import pytest

from fairlead.errors import NotFound
from fairlead.workspace.load import MOST_BYTES_A_FILE, read_folder
from fairlead.workspace.problems import InvalidWorkspace


def folder(root: Path, **files: str) -> Path:
    for path, text in {"fairlead.yaml": "organisation: acme\n", **files}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_the_files_of_a_workspace_are_read_and_nothing_else(tmp_path: Path) -> None:
    folder(
        tmp_path,
        **{
            "policies/main.cedar": "x",
            "policies/tests.yaml": "y",
            "rules/a.yaml": "z",
            "tasks/q.yaml": "t",
            "context/handbook/deep/page.md": "p",
            "README.md": "hello",
            ".git/config": "secret",
            ".env": "KEY=1",
            "context/.draft.md": "draft",
        },
    )
    text = read_folder(tmp_path)
    assert sorted(text.files) == [
        "context/handbook/deep/page.md",
        "fairlead.yaml",
        "policies/main.cedar",
        "policies/tests.yaml",
        "rules/a.yaml",
        "tasks/q.yaml",
    ]
    assert text.warnings == ()


def test_what_does_not_belong_becomes_a_warning_with_a_guess(tmp_path: Path) -> None:
    folder(
        tmp_path,
        **{"fairlaed.yaml": "", "polices/a.cedar": "", "rules/a.yml": "", "tasks/sub/q.yaml": "", "notes.txt": ""},
    )
    warnings = "\n".join(read_folder(tmp_path).warnings)
    assert "did you mean `fairlead.yaml`" in warnings
    assert "did you mean `policies`" in warnings
    assert "workspace files end in `.yaml`" in warnings
    assert "tasks/sub/q.yaml" in warnings
    assert "notes.txt" in warnings


def test_a_folder_without_a_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        read_folder(tmp_path)
    assert "fairlead init" in caught.value.mend


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("secret")
    root = folder(tmp_path / "acme", **{"context/a.md": "a"})
    (root / "context" / "b.md").symlink_to(outside)
    with pytest.raises(InvalidWorkspace) as caught:
        read_folder(root)
    assert [problem.file for problem in caught.value.problems] == ["context/b.md"]
    assert "leads out" in caught.value.problems[0].message


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path / "acme", **{"context/a/b.md": "b"})
    (root / "context" / "loop").symlink_to(root / "context")
    with pytest.raises(InvalidWorkspace, match="link to a folder"):
        read_folder(root)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a"})
    (root / "context" / "b.md").symlink_to(root / "context" / "a.md")
    assert read_folder(root).files["context/b.md"] == b"a"


def test_a_pipe_in_the_folder_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a"})
    os.mkfifo(root / "context" / "pipe.md")
    with pytest.raises(InvalidWorkspace, match="not a regular file"):
        read_folder(root)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a" * (MOST_BYTES_A_FILE + 1)})
    with pytest.raises(InvalidWorkspace, match="larger than"):
        read_folder(root)
