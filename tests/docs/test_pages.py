"""Every block of every page is run, or read by what will read it: commands, programs, workspace files, policies."""

import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import cedarpy
import pytest
import yaml
from tests.docs.pages import PAGES, Block, blocks_of, name_of
from tests.docs.terminal import Terminal

from fairlead.clock import SystemClock
from fairlead.policy import compile_policy
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import checked

EXPECTED = {"console", "sh", "python", "yaml", "cedar", "cedarschema", "markdown", "json", "text"}
WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]
STORIES = [page for page in WITH_BLOCKS if "reference" not in page.parts]
REFERENCES = [page for page in WITH_BLOCKS if "reference" in page.parts]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as `fairlead init acme` makes it: made once, copied for each page."""
    folder = tmp_path_factory.mktemp("made")
    status, said = Terminal(folder).run("fairlead init acme")
    assert status == 0, said
    return folder / "acme"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.stop()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert page.read_text("utf-8").count("\n```") == 2 * len(blocks_of(page)), "a block is not closed, or indented"
    assert {block.language for block in blocks_of(page)} <= EXPECTED, "a block needs a language that a test knows"


@pytest.mark.parametrize("page", STORIES, ids=name_of)
def test_what_a_page_tells_its_reader_to_do_works(page: Path, made: Path, terminal: Terminal) -> None:
    blocks = [block for block in blocks_of(page) if not block.reason]
    workspace = terminal.folder / "acme"
    if not any("fairlead init" in block.text for block in blocks):
        shutil.copytree(made, workspace)
        assert terminal.run("cd acme")[0] == 0
    for block in joined(blocks):
        follow(block, terminal, workspace)
    if workspace.exists():
        assert checked(read_folder(workspace), lambda reference: "sk-a-key-of-a-vendor-0123", SystemClock())


@pytest.mark.parametrize("page", REFERENCES, ids=name_of)
def test_every_block_of_a_reference_is_sound_by_itself(page: Path, made: Path, tmp_path: Path) -> None:
    for number, block in enumerate(block for block in blocks_of(page) if not block.reason):
        match block.language:
            case "cedar":
                assert compile_policy({"page.cedar": block.text})
            case "cedarschema":
                assert cedarpy.Schema.from_str(block.text)
            case "json":
                assert json.loads(block.text)
            case "yaml":
                shutil.copytree(made, tmp_path / str(number))
                write(block, tmp_path / str(number))
                assert checked(read_folder(tmp_path / str(number)), lambda reference: None, SystemClock())
            case other:
                assert other == "text", "a reference shows, and lets nobody do anything"


def joined(blocks: list[Block]) -> Iterator[Block]:
    """The blocks, where programs that follow one another are one: what stands in the first holds in the next."""
    for is_python, run in groupby(blocks, lambda block: block.language == "python" and not block.file):
        if is_python:
            yield Block("python", "", "\n".join(block.text for block in run), "")
        else:
            yield from run


def follow(block: Block, terminal: Terminal, workspace: Path) -> None:
    """Do what a block says."""
    match block.language:
        case "console":
            for command, shown in block.commands():
                agree(command, shown, *terminal.run(command))
        case "sh":
            agree(block.text, [], *terminal.run(block.text))
        case "python" if not block.file:
            if not terminal.has_server and "base_url" in block.text:
                agree("fairlead serve", [], *terminal.serve())
            agree(block.text, [], *terminal.script(block.text.replace("fl_…", "anonymous")))
        case "json":
            assert json.loads(block.text)
        case "yaml" | "cedar" | "markdown" | "python":
            write(block, workspace)
        case "text" if block.file:
            write(block, workspace)
        case other:
            assert other == "text"


def agree(command: str, shown: list[str], status: int, said: str) -> None:
    """A command ends well unless the page shows its error, and says what the page shows; `…` stands for anything."""
    fails = any(line.startswith("error: ") for line in shown)
    assert (status != 0) == fails, f"{command}\nended with {status}:\n{said}"
    for line in shown:
        at = 0
        for piece in filter(None, (part.strip() for part in line.split("…"))):
            assert piece in said, f"{command}\nthe page shows {line!r}, but it says:\n{said}"
            at = said.index(piece, 0) if at == 0 else at


def write(block: Block, workspace: Path) -> None:
    """Put a block into its file: YAML is merged into what is there, policies are added, all else is written anew."""
    if block.language == "yaml":
        path = workspace / (block.file or "fairlead.yaml")
        given = yaml.safe_load(block.text)
        whole = "organisation" in given  # a complete fairlead.yaml, which stands for a workspace of its own
        there = yaml.safe_load(path.read_text()) if path.exists() and not whole else {}
        if whole:
            shutil.rmtree(workspace)
            workspace.mkdir()
        text = json.dumps(merged(there, given))  # JSON is YAML
    else:
        assert block.file, "say after the language which file this is"
        path = workspace / block.file
        text = (path.read_text() if path.exists() and block.language == "cedar" else "") + block.text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def merged(there: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with further ones: entries of lists are added, lists of names are replaced."""
    whole = dict(there)
    for key, value in given.items():
        before = whole.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            whole[key] = merged(before, value)
        elif isinstance(value, list) and isinstance(before, list) and all(isinstance(each, dict) for each in value):
            whole[key] = [*before, *value]
        else:
            whole[key] = value
    return whole
