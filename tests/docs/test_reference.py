"""Generated pages are up to date and say everything, and no link leads nowhere."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests import programs

from fairlead.cli.explain import codes
from fairlead.cli.main import COMMANDS
from fairlead.costs.record import Record
from fairlead.server.about import About
from fairlead.server.anthropic.message_body import MessagesBody
from fairlead.server.openai.chat_body import ChatBody, ChatMessage
from fairlead.server.openai.completion_request import CompletionBody
from fairlead.server.openai.embedding_request import EmbeddingBody
from fairlead.server.proposals import ProposalBody
from fairlead.workspace.schemas import json_schemas
from fairlead.workspace.settings import WorkspaceSettings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def test_the_generated_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        programs.command("docs/generate.py", "--check"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_error_code_has_its_place() -> None:
    page = (REFERENCE / "errors.md").read_text("utf-8")
    assert [code for code in codes() if f"\n## {code}\n" not in page] == []


@pytest.mark.parametrize("name", json_schemas())
def test_every_key_of_every_file_stands_in_the_page_with_its_meaning(name: str) -> None:
    page = (REFERENCE / "workspace.md").read_text("utf-8")
    last_parts = {re.split(r"[.\]]", key)[-1] for key in re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)}
    definitions = json.loads(json_schemas()[name])["$defs"].values()
    keys = {key for definition in definitions for key in definition.get("properties", {})}
    assert keys - last_parts == set()
    assert [key for key in WorkspaceSettings.__struct_fields__ if f"\n| `{key}` |" not in page] == []
    assert [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


def test_every_command_and_every_field_of_a_record_stands_in_its_page() -> None:
    commands = (REFERENCE / "cli.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"\n## fairlead {name}\n" not in commands] == []
    record = (REFERENCE / "record.md").read_text("utf-8")
    assert [name for name in Record.__struct_fields__ if f"\n| `{name}` |" not in record] == []


def test_the_door_tells_of_every_field_that_it_takes_and_gives() -> None:
    page = (REFERENCE / "doors.md").read_text("utf-8")
    fields = (
        *ChatBody.__struct_fields__,
        *ChatMessage.__struct_fields__,
        *MessagesBody.__struct_fields__,
        *CompletionBody.__struct_fields__,
        *EmbeddingBody.__struct_fields__,
        *About.__struct_fields__,
        *ProposalBody.__struct_fields__,
    )
    assert [name for name in fields if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(_text(page)) if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in links if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in map(_anchor, _HEADING.findall(_text(target))))


def _text(page: Path) -> str:
    """The page without its examples, in which a bracket is no link and a `#` no heading."""
    return _FENCED.sub("", page.read_text("utf-8"))


def _anchor(heading: str) -> str:
    """The name by which a heading can be linked to, as code hosts make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
