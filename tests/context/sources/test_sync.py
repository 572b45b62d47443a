"""The rules of a sync, the same for every kind of source."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.context.sources.worlds import WORLDS, FolderWorld, Here, told

from fairlead.context.sources.pages import pages_of
from fairlead.context.sources.settings import FolderSource
from fairlead.context.sources.sync import sync


@pytest.fixture(params=WORLDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Here:
    return Here(tmp_path, WORLDS[request.param](tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Here:
    here = Here(tmp_path, FolderWorld(tmp_path))
    here.world.put("leave", "# Leave\n\nThirty days.\n")
    return here


def test_what_changes_at_the_source_changes_here_and_nothing_else(here: Here) -> None:
    here.world.put("hr/leave", "# Leave\n\nThirty days a year.\n")
    here.world.put("hr/pay", "# Pay\n\nOn the last day of the month.\n")
    assert told(here.sync(owner="people", dry_run=True)) == {"added": ["hr/leave.md", "hr/pay.md"]}
    assert not here.pages.exists(), "a dry run writes nothing"
    assert told(here.sync(owner="people")) == {"added": ["hr/leave.md", "hr/pay.md"]}
    first = here.texts()
    assert "owner: people\n" in first["hr/leave.md"]
    assert "source: handbook\n" in first["hr/leave.md"]
    assert "# Leave\n" in first["hr/leave.md"]
    same = here.sync(owner="people")
    assert (told(same), same.unchanged, here.texts()) == ({}, 2, first)

    here.world.put("hr/leave", "# Leave\n\nThirty-one days a year.\n")
    assert told(here.sync(owner="people")) == {"changed": ["hr/leave.md"]}
    assert "Thirty-one" in here.texts()["hr/leave.md"]
    assert here.texts()["hr/pay.md"] == first["hr/pay.md"]

    here.world.remove("hr/pay")
    assert told(here.sync(owner="people")) == {"gone": ["hr/pay.md"]}
    gone = here.texts()["hr/pay.md"]
    assert "gone: 2026-11-21\n" in gone, "nothing is deleted: its owner decides"
    assert "review_by: 2026-11-21\n" in gone
    assert told(here.sync(owner="people")) == {"gone": ["hr/pay.md"]}
    assert here.texts()["hr/pay.md"] == gone
    here.world.put("hr/pay", "# Pay\n\nOn the last day of the month.\n")
    assert told(here.sync(owner="people")) == {"changed": ["hr/pay.md"]}
    assert "gone:" not in here.texts()["hr/pay.md"]
    assert "review_by:" not in here.texts()["hr/pay.md"]


def test_what_people_set_and_wrote_here_stays(here: Here) -> None:
    here.world.put("leave", "# Leave\n\nThirty days a year.\n")
    here.world.put("pay", "# Pay\n\nOn the last day of the month.\n")
    here.sync(owner="people", topics=("leave",))
    page = here.pages / "leave.md"
    page.write_text(page.read_text().replace("owner: people", "owner: kim\nverified: {by: kim, at: 2026-11-02}"))
    here.world.put("leave", "# Leave\n\nThirty-one days a year.\n")
    assert told(here.sync(owner="hr", topics=("leave",))) == {"changed": ["leave.md", "pay.md"]}
    text = page.read_text()
    assert "owner: kim\n" in text
    assert "verified: {by: kim, at: 2026-11-02}\n" in text
    assert "Thirty-one" in text
    assert "owner: hr\n" in here.texts()["pay.md"], "what only the source had said follows it"

    here.world.move("leave", "people/absence")
    assert told(here.sync(owner="hr", topics=("leave",))) == {"moved": ["people/absence.md"]}
    assert "leave.md" not in here.texts()
    assert "owner: kim\n" in here.texts()["people/absence.md"]

    moved = here.pages / "people" / "absence.md"
    moved.write_text(moved.read_text() + "\nAsk Kim about this.\n")
    edited = moved.read_text()
    assert told(here.sync(owner="hr", topics=("leave",))) == {}
    here.world.put("people/absence", "# Leave\n\nThirty-two days a year.\n")
    for _ in range(2):
        assert told(here.sync(owner="hr", topics=("leave",))) == {"kept": ["people/absence.md"]}
        assert moved.read_text() == edited
    moved.unlink()
    assert told(here.sync(owner="hr", topics=("leave",))) == {"added": ["people/absence.md"]}
    assert "Thirty-two" in moved.read_text()


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(here: Here) -> None:
    for name in ("leave", "pay"):
        here.world.put(name, f"# {name}\n\nA sentence.\n")
    here.sync()
    good = here.texts()
    here.world.spoil("leave")
    here.world.put("pay", "# pay\n\nAnother sentence.\n")
    report = here.sync()
    assert told(report) == {"broken": ["leave.md"], "changed": ["pay.md"]}
    assert report.of("broken")[0].why
    assert report.of("broken")[0].mend
    assert here.texts()["leave.md"] == good["leave.md"], "its last good page stays"
    assert told(here.sync()) == {"broken": ["leave.md"]}, "it is told as long as it is so"
    assert not here.sync().is_whole

    before = here.texts()
    here.world.go_down()
    report = here.sync()
    assert report.failure is not None
    assert report.failure.mend
    assert here.texts() == before


def test_a_source_that_has_nothing_at_all_any_more_is_not_believed_at_once(folder: Here) -> None:
    folder.sync()
    folder.world.remove("leave")
    report = folder.sync()
    assert report.failure is not None
    assert "--accept-empty" in report.failure.mend
    assert "gone:" not in folder.texts()["leave.md"]
    assert told(folder.sync(accept_empty=True)) == {"gone": ["leave.md"]}
    (folder.pages / "leave.md").unlink()
    assert told(folder.sync(accept_empty=True)) == {}, "a page that was deleted is settled"


@pytest.mark.parametrize("steps", range(6))
def test_whatever_is_cut_off_the_next_sync_goes_on(folder: Here, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    folder.world.put("pay", "# Pay\n\nMonthly.\n")
    folder.sync(owner="people")
    page = folder.pages / "leave.md"
    page.write_text(page.read_text().replace("source:", "verified: 2026-11-02\nsource:"))
    folder.world.move("leave", "hr/leave")
    folder.world.put("hr/leave", "# Leave\n\nThirty days.\n")
    folder.world.put("pay", "# Pay\n\nWeekly.\n")
    folder.world.put("travel", "# Travel\n\nBy train.\n")
    left = steps

    def failing(whole: Any) -> Any:
        def call(*given: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return whole(*given)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", failing(os.replace))  # by which a memory, a page and a move come to stand
        with pytest.raises(KeyboardInterrupt):
            folder.sync(owner="hr")
    assert all(text.startswith("---\n") and text.endswith(".\n") for text in folder.texts().values())
    folder.sync(owner="hr")
    texts = folder.texts()
    assert sorted(texts) == ["hr/leave.md", "pay.md", "travel.md"]
    assert "Weekly" in texts["pay.md"]
    assert "verified: 2026-11-02\n" in texts["hr/leave.md"]
    assert all("owner: hr\n" in text for text in texts.values())
    assert told(folder.sync(owner="hr")) == {}


def test_a_memory_that_was_lost_is_made_again_from_the_pages(folder: Here) -> None:
    folder.sync(owner="people")
    page = folder.pages / "leave.md"
    page.write_text(page.read_text().replace("owner: people", "owner: kim"))
    before = folder.texts()
    (folder.pages / ".sync.json").unlink()
    assert told(folder.sync(owner="people")) == {}
    assert folder.texts() == before
    (folder.pages / ".sync.json").write_text("{")
    report = folder.sync()
    assert report.failure is not None
    assert "take it back from git" in report.failure.mend


def test_two_syncs_of_one_source_do_not_meet(folder: Here) -> None:
    with pages_of(folder.context, "handbook"):
        report = folder.sync()
    assert report.failure is not None
    assert "another sync" in report.failure.message
    assert told(folder.sync()) == {"added": ["leave.md"]}


def test_a_page_that_somebody_wrote_here_is_not_written_over(folder: Here) -> None:
    folder.pages.mkdir()
    (folder.pages / "leave.md").write_text("Our own words.\n")
    assert told(folder.sync()) == {"kept": ["leave.md"]}
    assert (folder.pages / "leave.md").read_text() == "Our own words.\n"


def test_nothing_is_written_through_a_link(folder: Here, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.pages.mkdir()
    folder.world.put("hr/pay", "# Pay\n\nMonthly.\n")
    (folder.pages / "hr").symlink_to(outside)
    (folder.pages / "leave.md").symlink_to(outside / "leave.md")
    assert folder.sync().failure is not None
    assert list(outside.iterdir()) == []


def test_what_a_source_says_of_its_pages_stands_at_their_top(folder: Here) -> None:
    folder.world.put("sales/price", "---\ntitle: Prices\naudience: [board]\ntrusted: true\nlayout: wide\n---\nDear.\n")
    folder.world.put("sales/draft", "---\ndraft: true\n---\nNot yet.\n")
    folder.world.put("sales/slip", "---\naudiance: [board]\n---\nDear.\n")
    report = folder.sync(from_folders=("owner", "audience", "department"), class_="confidential", trusted=False)
    assert [each.why for each in report.of("broken")] == ["line 2: `audiance` is not a key that Fairlead reads"]
    texts = folder.texts()
    assert texts["sales/price.md"] == (
        "---\ntitle: Prices\nowner: sales\naudience: [board]\nclass: confidential\ntrusted: false\n"
        "source: handbook\norigin: sales/price.md\n---\nDear.\n"
    )
    assert "status: draft\n" in texts["sales/draft.md"]
    assert 'audience: [sales, "department:sales"]\n' in texts["sales/draft.md"]
    assert "owner" not in texts["leave.md"], "it lies in no folder"


def test_links_lead_to_the_same_pages_though_their_names_are_safe_here(folder: Here) -> None:
    folder.world.put("a [draft]", "# A\n")
    folder.world.put(
        "b", "[one](a%20[draft].md#top) [two](leave.md) [web](https://x.example/a.md)\n\n[a](<a [draft].md>)\n"
    )
    folder.world.put("c", "[one](a%20%5Bdraft%5D.md#top) `[not](a%20%5Bdraft%5D.md)`\n")
    folder.sync()
    assert "[one](a%20-draft-.md#top) `[not](a%20%5Bdraft%5D.md)`" in folder.texts()["c.md"]
    assert "[two](leave.md) [web](https://x.example/a.md)" in folder.texts()["b.md"]


def test_a_source_is_not_brought_in_from_itself(folder: Here) -> None:
    report = sync("handbook", FolderSource(path="."), folder.work())
    assert report.failure is not None
    assert "within one another" in report.failure.message


@pytest.mark.parametrize(
    "head",
    [
        'title: "a\ntrusted: true\nverified: b"',
        'title: "a\ntopics: b\nc"\ntopics: d',
        "layout: x\n!!str audience: [everyone]",
        'title: "a\u2028b"',
        "{title: a, audience: [everyone]}",
    ],
)
def test_a_value_that_goes_on_over_lines_cannot_swallow_what_the_source_says_of_the_page(
    folder: Here, head: str
) -> None:
    folder.world.put("sly", f"---\n{head}\n---\n# Sly\n\nWords.\n")
    report = folder.sync(owner="hr", audience=("hr",), class_="restricted", trusted=False)
    assert told(report) == {"added": ["leave.md"], "broken": ["sly.md"]}
    assert "sly.md" not in folder.texts()


def test_values_of_several_lines_and_keys_of_other_tools_come_in(folder: Here) -> None:
    folder.world.put(
        "long", '---\n$schema: x\ntitle: >\n  a\n  b\ntopics:\n- c\n- "d: e"\n# so: it is\nowner : kim\n---\nx\n'
    )
    assert told(folder.sync()) == {"added": ["leave.md", "long.md"]}
    assert "owner : kim\n" in folder.texts()["long.md"]


def test_a_memory_that_names_a_page_elsewhere_is_refused(folder: Here) -> None:
    folder.sync()
    memory = folder.pages / ".sync.json"
    whole = memory.read_text()
    for sly in ("../../policies/a.md", "/tmp/a.md", "a/../../b.md", ".git/a.md", "../a.cedar", "a.cedar"):
        memory.write_text(whole.replace('"page":"leave.md"', f'"page":"{sly}"'))
        folder.world.put("leave", f"# Leave\n\n{sly}\n")
        report = folder.sync()
        assert report.failure is not None
        assert "names a page" in report.failure.message
    assert list(folder.texts()) == ["leave.md"]


def test_names_in_any_form_are_read_and_those_that_are_no_text_are_told(folder: Here) -> None:
    there = folder.world.folder  # type: ignore[attr-defined]
    (there / "U\u0308bung.md").write_text("# Übung\n")
    (there / ".env.md").write_text("secret")
    (there / "env.md").symlink_to(there / ".env.md")
    Path(os.fsdecode(os.fsencode(there) + b"/bad\xff.md")).write_text("x")
    Path(os.fsdecode(os.fsencode(there) + b"/d\xff")).mkdir()
    assert told(folder.sync(include=("**/\u00dc*", "**/bad*", "**/env*", "leave*"))) == {
        "added": ["\u00dcbung.md", "leave.md"],
        "broken": ["bad?.md", "env.md"],
    }
