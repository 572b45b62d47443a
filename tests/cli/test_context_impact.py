"""Which answers rest on what has changed since: at the command line, over a real log."""

from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.cli.compiled import require_published
from fairlead.cli.opening import open_store
from fairlead.cli.place import find
from fairlead.execution import Answer
from fairlead.workspace.published import load_revision


def change(folder: Path, old: str, new: str, fairlead: Fairlead) -> None:
    page = folder / "context" / "handbook" / "travel.md"
    assert old in page.read_text()
    page.write_text(page.read_text().replace(old, new))
    assert fairlead("apply", "--yes").status == 0


def test_an_answer_is_told_of_once_its_page_says_something_else(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder, answer = asked
    assert not [each for each in fairlead("context", "impact", "--json").json if each["why"] == "changed"]
    change(folder, "130", "150", fairlead)
    (found,) = [each for each in fairlead("context", "impact", "--json").json if each["why"] == "changed"]
    assert (found["item"], found["owner"], found["answers"]) == ("handbook/travel", "finance", 1)
    assert found["runs"] == [answer.run]
    assert found["persons"][0].startswith("s_")
    (named,) = [each for each in fairlead("context", "impact", "--names", "--json").json if each["why"] == "changed"]
    assert named["persons"] == ["kim"]
    shown = fairlead("context", "impact", "handbook/travel")
    assert "says something else now" in shown.out
    assert not fairlead("context", "impact", "--since", "2099-01-01", "--json").json


def test_a_page_that_is_only_written_differently_or_gone_and_expired(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    folder, _ = asked
    change(folder, "## Booking\nThe rules for business trips", "# Trips\n\nThe *rules*\nfor business trips", fairlead)
    assert not [each for each in fairlead("context", "impact", "--json").json if each["why"] == "changed"]
    change(folder, "owner:", "expires: 2020-01-31\nowner:", fairlead)
    (found,) = [each for each in fairlead("context", "impact", "--json").json if each["why"] == "expired"]
    assert (found["item"], found["since"], found["answers"]) == ("handbook/travel", "2020-01-31", 1)
    (folder / "context" / "handbook" / "travel.md").unlink()
    assert fairlead("apply", "--yes").status == 0
    (gone,) = fairlead("context", "impact", "--json").json
    assert (gone["item"], gone["why"], gone["now"]) == ("handbook/travel", "gone", "")


def test_two_snapshots_are_compared_and_unknown_ones_refused(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder, _ = asked
    with closing(open_store(find(folder))) as store:
        before = load_revision(store, require_published(store)).snapshot
        change(folder, "130", "150", fairlead)
        after = load_revision(store, require_published(store)).snapshot
    (found,) = fairlead("context", "impact", "--snapshot", before, after[4:20], "--json").json
    assert (found["why"], found["answers"]) == ("changed", 1)
    assert not fairlead("context", "impact", "--snapshot", after, before, "--json").json, "nobody has cited the later"
    said = fairlead("context", "impact", "--snapshot", "ctx_none", after)
    assert said.status == 2
    assert "there is no snapshot" in said.err
