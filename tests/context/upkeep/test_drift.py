"""What became of cited passages: a passage that is moved or written differently stands, one that says else does not."""

import textwrap
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.meaning import words_said
from fairlead.context.sections import split
from fairlead.context.upkeep.drift import Cited, Fate, Later, Page

SAID = ["any", "return", "needs", "a", "receipt", "within", "thirty", "days", "unless", "goods", "broke"]
WORDS = st.lists(st.sampled_from(SAID), min_size=4)
PAGES = st.lists(st.tuples(st.sampled_from(["Refunds", "Repairs", "Letters"]), WORDS), min_size=1, max_size=4)

RETURNS = """# Returns

Customers may **return** goods within 30 days, with a [receipt](https://a.example/receipt).

- Shoes must be unworn.
- Food cannot be returned.
"""


def page(item: str, text: str) -> Page:
    return Page(item=item, version=str(hash(text)), text=text, sections=tuple(Cited(each.text) for each in split(text)))


def became(before: str, after: str, *, to: str = "returns", beside: Sequence[Page] = ()) -> list[Fate]:
    return Later([page(to, after), *beside]).fates(page("returns", before))


def states(*given: object, **more: object) -> list[str]:
    return [fate.state for fate in became(*given, **more)]  # type: ignore[arg-type]


def test_a_passage_that_is_only_written_differently_still_stands() -> None:
    again = """## Sending things back {#back}

Customers may _return_ goods
within 30 days, with a [receipt](https://b.example/other).

* Shoes must be unworn.
1. Food cannot be returned.
"""
    assert states(RETURNS, again) == ["stands"]


def test_a_passage_that_says_something_else_is_stale() -> None:
    for old, new in (("30 days", "14 days"), ("cannot", "can"), ("Food", "~~Food~~"), ("30 days", "30 $")):
        assert states(RETURNS, RETURNS.replace(old, new)) == ["changed"], new


def test_words_that_are_added_under_the_same_heading_make_it_stale_and_those_under_another_do_not() -> None:
    assert states(RETURNS, RETURNS + "\nThis does not hold for gifts.\n") == ["changed"]
    assert states(RETURNS, RETURNS + "\n## Gifts\n\nGifts are exchanged, " + "never paid out " * 20) == ["stands"]


def test_a_passage_that_has_moved_is_found_on_its_new_page_and_one_that_was_deleted_is_gone() -> None:
    other = page("policies", "# Policies\n\n" + "Letters are answered. " * 30 + "\n\n#" + RETURNS)
    (moved,) = became(RETURNS, "# Returns\n\nSee the policies.", beside=[other])
    assert (moved.state, moved.item, moved.stale) == ("moved", "policies", False)
    assert states(RETURNS, "# Shops\n\nWe have three of them.", to="shops") == ["gone"]
    assert states("# A\n\nto be done", "# B\n\nIt is to be done.", to="b") == ["gone"], "a few words say nothing"


def test_a_page_that_is_cut_into_other_sections_says_the_same() -> None:
    paragraphs = [f"Paragraph {number} says " + f"what rule {number} is about. " * 12 for number in range(9)]
    before = "# Rules\n\n" + "\n\n".join(paragraphs)
    after = "# Rules\n\n" + "\n\n".join(["A new beginning. " * 30, *paragraphs])
    found = states(before, after)
    assert found == ["changed", *["stands"] * (len(found) - 1)]
    assert len(found) > 2


@given(PAGES, st.integers(20, 80), st.sampled_from("*+-"), st.booleans())
def test_moving_wrapping_and_marking_anew_never_makes_anything_stale(
    parts: list[tuple[str, list[str]]], width: int, mark: str, elsewhere: bool
) -> None:
    before = "\n\n".join(f"# {title}\n\n- {' '.join(words)}" for title, words in parts)
    wrapped = [textwrap.fill(" ".join(words), width, break_on_hyphens=False) for _, words in parts]
    after = "\n\n".join(
        f"### New {title}\n\n{mark} **{text}**" for (title, _), text in zip(parts, wrapped, strict=True)
    )
    few = any(len(words) < 8 for _, words in parts)
    found = became(before, after, to="other" if elsewhere and not few else "returns")
    assert not any(fate.stale for fate in found)


@given(PAGES, st.data())
def test_a_changed_word_is_always_noticed(parts: list[tuple[str, list[str]]], data: st.DataObject) -> None:
    # Each word once: a passage whose words stand elsewhere on the page as well stands there.
    parts = [
        (title, [f"{word}{at}x{nth}" for nth, word in enumerate(words)]) for at, (title, words) in enumerate(parts)
    ]
    at = data.draw(st.integers(0, len(parts) - 1))
    word = data.draw(st.integers(0, len(parts[at][1]) - 1))
    before = "\n\n".join(f"# {title}\n\n{' '.join(words)}" for title, words in parts)
    parts[at][1][word] = "otherwise"
    after = "\n\n".join(f"# {title}\n\n{' '.join(words)}" for title, words in parts)
    assert any(fate.stale for fate in became(before, after))


def test_a_passage_that_was_cut_within_a_tag_is_read_from_its_page() -> None:
    rows = [f'<td title="Level {number}" class="row {number}">duty {number} is to help</td>' for number in range(130)]
    before = "# Levels\n\n<table>\n" + " ".join(rows) + "\n</table>\n"
    assert len(states(before, before)) > 2
    assert set(states(before, "# New levels\n\nOf old.\n\n#" + before)) == {"stands"}
    assert "changed" in states(before, before.replace("duty 70 is to help", "duty 70 is to hide"))


def test_only_what_is_said_is_compared() -> None:
    assert words_said("1. *Up* to 2–3 `days`[^1] – <b>or</b> &euro;5") == words_said("- up to 2-3 days[^1] or €5")
    assert words_said("at -5 degrees") != words_said("at 5 degrees")
