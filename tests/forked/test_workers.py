"""What failed among others and passes alone is told, and sinks nothing; what fails twice does."""

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os
from pathlib import Path

def test_fails_at_first():
    seen = Path("seen").exists()
    Path("seen").touch()
    assert seen, "not seen yet"

def test_passes():
    assert True

def test_fails_where_told():
    assert not Path("told").exists()

def test_dies_when_asked_again():
    seen = Path("dies").exists() and Path("once").exists()
    Path("once").touch()
    if seen:
        os._exit(3)
    assert not Path("dies").exists()
"""

# What most tests come to need is not needed here, and takes seconds.
RUNS = (
    "import sys, pytest; from tests.forked import workers; workers._prepare = int; sys.exit(pytest.main(sys.argv[1:]))"
)


def ran(folder: Path, again: int) -> tuple[int, str]:
    options = ["-q", "-c", "none.ini", "--rootdir=.", "-p", "no:cacheprovider", "-p", "tests.forked.workers"]
    command = [sys.executable, "-c", RUNS, *options, "--workers=2", f"--again={again}"]
    root = str(Path(__file__).parents[2])
    bare = {"PYTHONPATH": root, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, check=False, cwd=folder, env=bare, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("told", "again", "status", "ending"),
    [(False, 3, 0, "4 passed"), (True, 3, 1, "1 failed, 3 passed"), (True, 1, 1, "2 failed, 2 passed")],
)
def test_failed_tests_are_run_once_more_where_they_are_few(
    tmp_path: Path, told: bool, again: int, status: int, ending: str
) -> None:
    (tmp_path / "none.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(TESTS)
    if told:
        (tmp_path / "told").touch()
    code, out = ran(tmp_path, again)
    assert (code, ending in out.splitlines()[-1]) == (status, True), out
    asked_again = again > 1
    assert ("test_fails_at_first failed among the others, and passed alone" in out) is asked_again
    assert "not seen yet" in out


def test_what_its_worker_did_not_come_to_again_has_failed(tmp_path: Path) -> None:
    (tmp_path / "none.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(TESTS.replace("def test_fails_at_first", "def test_z"))
    (tmp_path / "dies").touch()
    (tmp_path / "test_zz.py").write_text(
        "from pathlib import Path\n\ndef test_behind():\n    assert not Path('dies').exists()\n"
    )
    code, out = ran(tmp_path, 3)
    assert (code, "passed alone" in out) == (1, True), out
    assert {"test_dies_when_asked_again", "test_behind"} <= {
        line.partition("::")[2].partition(" ")[0] for line in out.splitlines()
    }
