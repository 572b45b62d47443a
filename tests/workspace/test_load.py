"""Reading a folder: what belongs, what is left out, and what cannot be reached."""

import os
from pathlib import Path

import pytest
from tests.world import FixedClock

from fairlead.errors import NotFound
from fairlead.workspace.leaving_out import read_sound
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


def test_a_link_to_the_state_of_the_workspace_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a", ".fairlead/master.key": "secret"})
    (root / "context" / "b.md").symlink_to(Path("..") / ".fairlead" / "master.key")
    with pytest.raises(InvalidWorkspace, match="something hidden"):
        read_folder(root)


def test_a_pipe_in_the_folder_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a"})
    os.mkfifo(root / "context" / "pipe.md")
    with pytest.raises(InvalidWorkspace, match="not a regular file"):
        read_folder(root)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"context/a.md": "a" * (MOST_BYTES_A_FILE + 1)})
    with pytest.raises(InvalidWorkspace, match=r"context/a.md: the file has 5,000,001 bytes"):
        read_folder(root)


def test_links_in_a_circle_and_large_and_binary_pages_are_named_and_the_rest_can_be_published(tmp_path: Path) -> None:
    sound = {
        "fairlead.yaml": "organisation: acme\nmodels: {local: local/extractive}\n",
        "context/a.md": "# A\n\nText.",
        "context/two words.md": "---\nowner: a\nclass: secret\n---\nx",
    }
    root = folder(tmp_path, **sound, **{"context/b.md": "!include c.md", "context/c.md": "a\0b", "context/d.md": ""})
    (root / "context" / "loop.md").symlink_to(root / "context" / "loop.md")
    (root / "context" / "up").symlink_to(root / "context")
    (root / "context" / "d.md").write_bytes(b"good\nb\xe4d")
    with (root / "context" / "huge.md").open("wb") as file:
        file.truncate(200 << 20)  # takes no room on the disk, and must not be read
    text, left_out = read_sound(root, lambda _: None, FixedClock(1_796_000_000_000))
    assert [path for path in text.files if path.startswith("context/")] == ["context/a.md"]
    said = {each.file: str(each) for each in left_out}
    assert said["context/two words.md"].startswith("context/two words.md:3: `class` must be one of")
    assert "NUL" in said["context/c.md"]
    assert "NUL" in said["context/b.md"]
    assert "not UTF-8" in said["context/d.md"]
    assert "209,715,200 bytes" in said["context/huge.md"]
    assert {"context/loop.md", "context/up"} <= said.keys()
    with pytest.raises(InvalidWorkspace, match=r"fairlead.yaml"):
        (root / "fairlead.yaml").write_text("organisation: [")
        read_sound(root, lambda _: None, FixedClock(0))


def test_a_broken_page_that_may_say_who_approves_is_not_left_out(tmp_path: Path) -> None:
    says = "organisation: acme\nmodels: {local: local/extractive}\napprovals: {organisation: %s}\n"
    flow = "---\nkind: flow\ncovers: [shop.pay]\napprovers: [controller\n---\nTwo agree.\n"
    root = folder(tmp_path, **{"fairlead.yaml": says % "true", "context/a.md": "a", "context/pay.md": flow})
    clock = FixedClock(1_796_000_000_000)
    with pytest.raises(InvalidWorkspace, match="approvals rest on pages here"):
        read_sound(root, lambda _: None, clock)
    (root / "fairlead.yaml").write_text(says % "false")
    assert [each.file for each in read_sound(root, lambda _: None, clock)[1]] == ["context/pay.md"]
    (root / "fairlead.yaml").write_text(says % "true")
    (root / "context" / "pay.md").write_text("---\nclass: secret\n---\nNothing about people.\n")
    assert [each.file for each in read_sound(root, lambda _: None, clock)[1]] == ["context/pay.md"]
