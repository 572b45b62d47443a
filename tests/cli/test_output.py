"""What is printed: nothing that drives the terminal, money exact."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli.errors import show
from fairlead.cli.output import one_line, safe, table
from fairlead.cli.place import wants_colour
from fairlead.workspace.problems import InvalidWorkspace, Problem


@given(st.text())
def test_a_line_stays_one_line_and_drives_no_terminal(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode()


@given(st.text(alphabet="ab \n\t"))
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_marks_that_turn_the_direction_of_text_are_shown_as_what_they_are() -> None:
    assert one_line("abc\u202edef") == r"abc\u202edef"


def test_a_table_in_a_pipe_is_aligned_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "n"], [["a" * 300, "1"], ["b\nc", "200"]], right=["n"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "name" + " " * 296 + "    n"
    assert lines[1] == "a" * 300 + "    1"
    assert lines[2].startswith(r"b\nc")


def test_an_empty_table_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "n"], [])
    assert capsys.readouterr().out == "name  n\n"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_needs_a_terminal_and_no_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_colour(_Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(_Terminal())
    monkeypatch.setenv("NO_COLOR", "")
    assert wants_colour(_Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(_Terminal())


def test_each_problem_of_a_workspace_has_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(InvalidWorkspace([Problem(file=name, line=2, message="no\nkey", mend="add it") for name in ("b", "a")]))
    assert capsys.readouterr().err.splitlines()[:3] == [
        "error: the workspace has 2 problems [invalid_workspace]",
        r"  a:2: no\nkey (add it)",
        r"  b:2: no\nkey (add it)",
    ]
