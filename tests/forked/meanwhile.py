"""What is made for a checkout in which no tests have run, while they are collected: that keeps one processor busy, and
leaves the others idle."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path


def begin(root: Path) -> Callable[[], None]:
    """Compile the later half of the tests, with all that they import, and the tables of Hypothesis, in a fork. Whoever
    comes to them finds them in their files. Gives what to call when that is of no use any more."""
    if (root / ".hypothesis").exists() or sys.dont_write_bytecode:
        return lambda: None
    pid = os.fork()
    if pid == 0:
        try:
            _make(root)
        finally:
            os._exit(0)
    return lambda: _end(pid)


def _make(root: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    files = sorted((root / "tests").rglob("test_*.py"))
    for file in files[: len(files) // 2 : -1]:  # those who collect them begin with the first
        with suppress(Exception):
            import_module(".".join(file.relative_to(root).with_suffix("").parts))
    from hypothesis import given, settings
    from hypothesis import strategies as st

    @settings(max_examples=1, database=None)
    @given(st.text())
    def any_property(text: str) -> None:
        """Hypothesis reads what constants there are, and which characters, before its first example."""

    any_property()


def _end(pid: int) -> None:
    done, _ = os.waitpid(pid, os.WNOHANG)
    if not done:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
