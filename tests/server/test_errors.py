"""Every error that the server itself raises tells what failed, why, and what mends it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fairlead.server
from fairlead import errors
from fairlead.server import http
from fairlead.server.door import refuse
from fairlead.server.openai.errors import encode_error
from fairlead.storage.store import Away

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


async def test_who_is_turned_away_for_the_database_hears_when_to_come_back_and_not_where_it_is() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    where = "postgresql://db.acme.example:5432/fairlead"
    met = Away(f"the state database at {where} cannot be used just now", why=f"no connection to {where}", subject=where)
    await refuse(send, met, encode_error)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    said = b"".join(each.get("body", b"") for each in sent)
    assert b"database_away" in said
    assert b"try again shortly" in said
    assert b"acme" not in said
