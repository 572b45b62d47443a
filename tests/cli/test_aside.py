"""Work in a child process: its result comes back, its memory and its faults stay there."""

import os

import pytest
import typer

from fairlead.cli.aside import aside
from fairlead.errors import BadInput


def test_the_result_comes_back_from_another_process() -> None:
    def name_of_the_process() -> bytes:
        return str(os.getpid()).encode()

    told = aside(name_of_the_process)
    assert told.isdigit()
    assert int(told) != os.getpid()


def test_a_result_larger_than_a_pipe_holds_comes_back_whole() -> None:
    assert aside(lambda: b"x" * 1_000_000) == b"x" * 1_000_000


def test_what_goes_wrong_is_told_once_and_ends_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    def wrong() -> bytes:
        raise BadInput("the figs are unripe", why="it is June", mend="wait")

    with pytest.raises(typer.Exit) as ended:
        aside(wrong)
    assert ended.value.exit_code == 2
    assert capfd.readouterr().err.count("the figs are unripe") == 1


def test_a_child_that_is_killed_is_no_success() -> None:
    with pytest.raises(typer.Exit) as ended:
        aside(lambda: os.kill(os.getpid(), 9) or b"")  # type: ignore[func-returns-value]
    assert ended.value.exit_code == 70
