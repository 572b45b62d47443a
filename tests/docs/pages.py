"""The pages, as a reader meets them: fenced blocks in their order, each with its language and what it is about.

A block may say after its language which file of the workspace it is (or goes into): ```yaml tasks/letters.yaml. A
comment `<!-- not run: REASON -->` on the line before a block keeps it from being run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]

_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```(?P<language>\w*)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block. `reason` says why it is not run, "" where it is."""

    language: str
    file: str
    text: str
    reason: str

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command of a `console` block with the lines of output that the page shows below it."""
        command, shown = "", list[str]()
        for line in self.text.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            elif command.endswith("\\"):
                command = f"{command}\n{line}"
            elif line.strip("… "):
                shown.append(line)
        if command:
            yield command, shown


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page."""
    return [
        Block(found["language"], found["file"] or "", found["text"], found["reason"] or "")
        for found in _BLOCK.finditer(page.read_text("utf-8"))
    ]


def name_of(page: Path) -> str:
    """The page's path, for people."""
    return page.relative_to(ROOT).as_posix()
