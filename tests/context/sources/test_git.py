"""Git repositories: who owns a page, when it changed, what moved, by real histories."""

from pathlib import Path

import pytest
from tests.context.sources.worlds import GitWorld, Here, told

from fairlead.context.sources.sync import sync


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path, GitWorld(tmp_path))


def test_owner_day_and_commit_come_from_the_history(here: Here) -> None:
    world = here.world
    assert isinstance(world, GitWorld)
    world.put("content/sales/price", "# Price\n\nTen.\n")
    world.put("content/hr/leave", "# Leave\n\nThirty days.\n\nAsk early.\n\nBe back in time.\n")
    world.put("content/hr/old name", "# Other\n\nSomething else.\n")
    world.put("outside", "# Outside\n")
    (world.folder / "CODEOWNERS").write_text("* @acme/all\n/content/hr/ @acme/people\n")
    world.commit()  # the 2nd of October
    world.put("content/sales/price", "# Price\n\nEleven.\n")
    world.commit()
    world.move("content/hr/old name", "content/hr/new name")
    assert told(here.sync(folder="content")) == {"added": ["hr/leave.md", "hr/new name.md", "sales/price.md"]}
    texts = here.texts()
    assert "owner: people\n" in texts["hr/leave.md"]
    assert "owner: all\n" in texts["sales/price.md"]
    assert "changed: 2026-10-02\n" in texts["hr/leave.md"]
    assert "changed: 2026-10-03\n" in texts["sales/price.md"]
    assert "changed: 2026-10-02\n" in texts["hr/new name.md"], "a new name is no change"
    assert 'origin: "content/sales/price.md@' in texts["sales/price.md"]

    page = here.pages / "hr" / "leave.md"
    page.write_text(page.read_text().replace("owner: people", "owner: kim"))
    world.move("content/hr/leave", "content/people/absence")
    world.put("content/people/absence", "# Leave\n\nThirty-one days.\n\nAsk early.\n\nBe back in time.\n")
    (world.folder / "CODEOWNERS").write_text("* @acme/all\n/content/sales/ @acme/sellers\n")
    report = here.sync(folder="content")
    assert told(report) == {"changed": ["hr/new name.md", "sales/price.md"], "moved": ["people/absence.md"]}
    texts = here.texts()
    assert "owner: kim\n" in texts["people/absence.md"], "git knows it for the same though it changed on its way"
    assert "changed: 2026-10-05\n" in texts["people/absence.md"]
    assert "owner: sellers\n" in texts["sales/price.md"], "its owner changed, and its text did not"
    assert "changed: 2026-10-03\n" in texts["sales/price.md"]


def test_an_address_is_fetched_and_a_branch_is_taken(here: Here) -> None:
    world = here.world
    assert isinstance(world, GitWorld)
    world.put("hr/leave", "# Leave\n\nThirty days.\n")
    world.commit()
    world.git("branch", "published")
    world.put("hr/leave", "# Leave\n\nA draft.\n")
    world.put(".hidden/page", "# Hidden\n")
    url = world.folder.as_uri()
    assert told(here.sync(url=url, branch="published")) == {"added": ["hr/leave.md"]}
    assert "Thirty days" in here.texts()["hr/leave.md"]
    assert "owner: hr\n" in here.texts()["hr/leave.md"], "without CODEOWNERS the outermost folder says it"
    assert told(here.sync(url=url, branch="main")) == {"changed": ["hr/leave.md"]}
    report = here.sync(url=url, branch="nothing")
    assert report.failure is not None
    report = here.sync(folder="nowhere")
    assert report.failure is not None
    assert "no folder nowhere" in report.failure.message


def test_a_repository_of_others_runs_nothing_here(here: Here, tmp_path: Path) -> None:
    world = here.world
    assert isinstance(world, GitWorld)
    world.put("page", "# Page\n")
    world.put("--output=x", "# Odd\n")
    (world.folder / "link.md").symlink_to("/etc/passwd")
    world.commit()
    mark = tmp_path / "ran"
    for hook in ("post-checkout", "reference-transaction", "fsmonitor"):
        program = world.folder / ".git" / "hooks" / hook
        program.write_text(f"#!/bin/sh\ntouch {mark}\n")
        program.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "log.showSignature"):
        world.git("config", key, f"touch {mark}" if key != "log.showSignature" else "true")
    report = sync("handbook", world.settings(), here.work())
    assert [each.path for each in report.of("broken")] == ["link.md"]
    assert sorted(here.texts()) == ["--output=x.md", "page.md"]
    assert not mark.exists()
