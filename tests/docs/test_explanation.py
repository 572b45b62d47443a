"""The page that follows a request names the stages that there are, and files that exist."""

import re
from pathlib import Path

from fairlead.telemetry import STAGES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "what-happens-to-a-request.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_pages_headings_are_the_stages() -> None:
    assert tuple(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == STAGES


def test_every_module_that_a_page_names_exists() -> None:
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE + ARCHITECTURE)
    assert named
    missing = [one for one in named if not (ROOT / "src" / "fairlead" / one).is_file() and not (ROOT / one).is_file()]
    assert not missing, "the map shows what is"


def test_the_map_names_every_room_and_no_other() -> None:
    house = ARCHITECTURE.partition("## The house")[2].partition("\n## ")[0]
    named = set(re.findall(r"^    (\w+)/ ", house, re.MULTILINE))
    there = {path.name for path in (ROOT / "src" / "fairlead").iterdir() if (path / "__init__.py").is_file()}
    assert named == there


def test_relative_links_resolve() -> None:
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken
