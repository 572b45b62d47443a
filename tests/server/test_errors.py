"""Every error that the server itself raises tells what failed, why, and what mends it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import fairlead.server
from fairlead import errors
from fairlead.server import http

SOURCES = sorted(Path(fairlead.server.__file__).parent.rglob("*.py"))
KINDS = {
    name
    for module in (errors, http)
    for name, each in vars(module).items()
    if isinstance(each, type) and issubclass(each, errors.FairleadError)
}


def untold(source: Path) -> Iterator[str]:
    """Where an error is made without its reason or its mend."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            lacking = {"why", "mend"} - {keyword.arg for keyword in node.keywords}
            if lacking:
                yield f"{source.name}:{node.lineno}: {node.func.id} without {' and '.join(sorted(lacking))}"


def test_every_error_of_the_server_says_why_and_what_mends_it() -> None:
    assert len(SOURCES) > 20
    assert [line for source in SOURCES for line in untold(source)] == []


def test_this_finds_an_error_that_does_not(tmp_path: Path) -> None:
    source = tmp_path / "door.py"
    source.write_text('raise BadInput("no", mend="yes")\n')
    assert list(untold(source)) == ["door.py:1: BadInput without why"]
