import textwrap
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.context.identity import Fresh, Known, align, first_identity, still_says
from fairlead.context.sections import split

_WORDS = [
    f"{start}{end}" for start in ("re", "con", "pro", "un", "over") for end in ("turn", "tain", "ceed", "fold", "see")
]


def before(pages: Mapping[str, str]) -> list[Known]:
    return [
        Known(
            identity=first_identity(item, "v1", ordinal),
            item=item,
            heading=section.heading,
            text=section.text,
            meaning=section.meaning,
        )
        for item, text in pages.items()
        for ordinal, section in enumerate(split(text))
    ]


def after(pages: Mapping[str, str], version: str = "v2") -> list[Fresh]:
    return [
        Fresh(
            item=item,
            version=version,
            ordinal=ordinal,
            heading=section.heading,
            text=section.text,
            meaning=section.meaning,
        )
        for item, text in pages.items()
        for ordinal, section in enumerate(split(text))
    ]


def followed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The heading that each new section had before, "" for one that is new."""
    known = before(old)
    headings = {each.identity: each.heading for each in known}
    return [headings.get(identity, "") for identity in align(known, after(new))]


def words(seed: int, count: int = 60) -> str:
    return " ".join(f"{_WORDS[(seed * 7 + at * at) % 25]}{(seed + at) % 89}" for at in range(count)) + "."


PAGE = "\n\n".join(f"## Part {number}\n\n{words(number)}" for number in range(5))


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[str, str, list[int]]:
    """A page, the same with its sections in another order, wrapped and marked up otherwise, and that order."""
    count = draw(st.integers(1, 6))
    order = draw(st.permutations(range(count)))
    depth, width = draw(st.integers(1, 4)), draw(st.integers(20, 200))
    mark = draw(st.sampled_from(["", "**", "_", "`"]))
    page = "\n\n".join(f"## Part {number}\n\n{words(number)}" for number in range(count))
    other = "\n\n".join(
        f"{'#' * depth} Part {number}\n\n"
        + textwrap.fill(words(number).replace(" ", f" {mark}word{mark} ", 0), width)
        + (f"\n\n{mark}end{mark}" if mark else "\n\nend")
        for number in order
    )
    return page.replace(".\n", ".\n\nend\n") + "\n\nend", other, list(order)


@settings(max_examples=40)
@given(rewritten(), st.booleans())
def test_sections_that_are_moved_wrapped_or_marked_up_otherwise_keep_their_identities(
    case: tuple[str, str, list[int]], moved: bool
) -> None:
    page, other, order = case
    known = before({"a": page})
    found = align(known, after({"b" if moved else "a": other}))
    assert found == [known[number].identity for number in order]
    meanings = [each.meaning for each in after({"a": other})]
    assert all(still_says(each.meaning, meanings) for each in known)


def test_a_section_that_is_edited_keeps_its_identity_and_says_something_else() -> None:
    new = PAGE.replace(words(2), words(2)[:-20] + " but never on Sundays.")
    assert followed({"a": PAGE}, {"a": new}) == [f"Part {number}" for number in range(5)]
    meanings = [each.meaning for each in after({"a": new})]
    assert [still_says(each.meaning, meanings) for each in before({"a": PAGE})] == [True, True, False, True, True]


def test_a_section_written_anew_under_its_heading_is_the_same_one() -> None:
    new = PAGE.replace(words(3), words(50))
    assert followed({"a": PAGE}, {"a": new})[3] == "Part 3"


def test_a_section_that_goes_to_a_page_beside_it_is_followed_only_where_it_says_the_same() -> None:
    kept, _, taken = PAGE.rpartition("## Part 4")
    assert followed({"a": PAGE}, {"a": kept, "b": f"# Part 4{taken}"})[-1] == "Part 4"
    edited = taken[:-20] + " but never on Sundays."
    assert followed({"a": PAGE}, {"a": kept, "b": f"# Part 4{edited}"})[-1] == ""


def test_an_edited_section_is_followed_to_the_page_that_took_the_place_of_its_own() -> None:
    new = PAGE.replace(words(2), words(2)[:-20] + " but never on Sundays.")
    assert followed({"a": PAGE}, {"b": new}) == [f"Part {number}" for number in range(5)]


def test_pages_that_say_the_same_in_one_section_are_not_taken_for_one_another_when_they_move() -> None:
    common = f"## Common\n\n{words(99)}"
    old = {"a": f"## Own a\n\n{words(1)}\n\n{common}", "b": f"## Own b\n\n{words(2)}\n\n{common}"}
    new = {"y": old["b"], "z": old["a"]}
    known = before(old)
    assert align(known, after(new)) == [each.identity for each in (*known[2:], *known[:2])]


def test_nothing_is_continued_twice_and_what_is_new_is_new() -> None:
    found = align(before({"a": PAGE}), after({"a": PAGE, "b": PAGE}))
    assert len(set(found)) == len(found)
    assert align([], after({"a": PAGE})) == [first_identity("a", "v2", number) for number in range(5)]


@pytest.mark.parametrize(
    ("new", "same"),
    [
        (f"# All\n\nShort.\n\n## Big\n\n{words(1)}", True),
        (f"# All\n\nShort.\n\n# Big\n\n{words(1)}", True),  # no more gathered into one section
        (f"# All\n\nShorter.\n\n# Big\n\n{words(1)}", False),
        (f"# All\n\nShort.\n\nMore.\n\n## Big\n\n{words(1)}", False),
    ],
)
def test_what_is_only_gathered_otherwise_still_says_the_same(new: str, same: bool) -> None:
    (old,) = before({"a": f"# All\n\nShort.\n\n## Big\n\n{words(1)}"})
    assert still_says(old.meaning, [each.meaning for each in after({"a": new})]) is same


def test_a_paragraph_put_into_a_long_section_changes_the_piece_that_it_stands_in_alone() -> None:
    paragraphs = [words(number) for number in range(20)]
    old = before({"a": "# Long\n\n" + "\n\n".join(paragraphs)})
    assert len(old) > 3
    new = after({"a": "# Long\n\n" + "\n\n".join([*paragraphs[:1], "Never on Sundays.", *paragraphs[1:]])})
    meanings = [each.meaning for each in new]
    assert [still_says(each.meaning, meanings) for each in old] == [False] + [True] * (len(old) - 1)


@given(st.integers(30, 160))
def test_where_a_long_section_is_cut_does_not_depend_on_how_it_is_wrapped(width: int) -> None:
    text = " ".join(words(number) for number in range(12))
    wrapped = split("# Long\n\n" + textwrap.fill(text, width, break_on_hyphens=False))
    assert [each.meaning for each in wrapped] == [each.meaning for each in split(f"# Long\n\n{text}")]
    assert len(wrapped) > 2
