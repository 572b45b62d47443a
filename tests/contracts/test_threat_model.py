"""The threat model is held by tests: each threat names at least one, and each that is named exists."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def functions_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.exists():
        return frozenset()
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, functions))


def threats() -> list[list[str]]:
    """The rows of the tables of threats: threat, defence, tests."""
    section = PAGE.read_text("utf-8").partition("## Threats and defences")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line[:1] == "|"]
    return [row for row in rows if row[0].strip("- |") not in ("", "threat") and set(row[0]) != {"-"}]


def test_every_threat_names_a_defence_and_a_test() -> None:
    found = threats()
    assert len(found) > 40
    wrong = [row[0] for row in found if len(row) != 3 or not row[1] or not NAMED.search(row[2])]
    assert not wrong, f"write: threat, defence, `tests/….py::test_…`: {wrong}"


def test_every_test_that_the_threat_model_names_exists() -> None:
    missing = [
        f"{file}::{name}" for file, name in NAMED.findall(PAGE.read_text("utf-8")) if name not in functions_in(file)
    ]
    assert not missing, f"a defence is held by a test; say which took its place: {missing}"
