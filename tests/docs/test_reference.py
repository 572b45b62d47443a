"""Generated pages are up to date, and say everything."""

import subprocess
import sys
from pathlib import Path

from fairlead.cli.explain import codes
from fairlead.workspace.settings import WorkspaceSettings

ROOT = Path(__file__).parents[2]


def test_the_generated_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_error_and_every_key_has_its_place() -> None:
    errors = (ROOT / "docs" / "reference" / "errors.md").read_text()
    assert all(f"\n## {code}\n" in errors for code in codes())
    keys = (ROOT / "docs" / "reference" / "workspace.md").read_text()
    assert all(f"| `{key}` |" in keys for key in WorkspaceSettings.__struct_fields__)
