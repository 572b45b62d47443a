from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.sections import first_heading, split

WORDS = "The quick brown fox jumps over the lazy dog and goes home again. " * 6  # 78 words


def test_each_heading_opens_a_section_that_knows_its_path() -> None:
    text = f"# Returns\n\n{WORDS}\n\n## Without receipt\n\n{WORDS}\n\n### Abroad\n\n{WORDS}\n\n## Late\n\n{WORDS}"
    assert [section.heading for section in split(text)] == [
        "Returns",
        "Returns > Without receipt",
        "Returns > Without receipt > Abroad",
        "Returns > Late",
    ]


def test_underlined_headings_count_and_rules_lists_and_tables_do_not() -> None:
    text = f"Returns\n=======\n\n{WORDS}\n\nLate\n----\n\n{WORDS}\n\n---\n\n- item\n---\n\n| a |\n---\n\n{WORDS}"
    assert [section.heading for section in split(text)] == ["Returns", "Returns > Late"]


def test_headings_inside_fences_are_text() -> None:
    text = (
        f"# Setup\n\n{WORDS}\n\n```sh\n# not a heading\n~~~\n## nor this\n```\n\n~~~~\n# no\n~~~\n# no\n~~~~\n\n{WORDS}"
    )
    sections = split(text)
    assert {section.heading for section in sections} == {"Setup"}
    assert "# not a heading" in sections[0].text


def test_a_channel_name_or_an_indented_line_is_no_heading() -> None:
    assert first_heading("#general is a channel\n\n    # code\n\n####### seven\n\n###### Six ######") == "Six"


def test_a_heading_is_shown_without_its_markup() -> None:
    assert first_heading("## **How** to [return](x.md) `items` {#how}") == "How to return items"


def test_long_sections_are_cut_between_paragraphs() -> None:
    sections = split("# Long\n\n" + f"{WORDS}\n\n" * 12)
    assert len(sections) > 3
    assert all(150 <= len(section.text.split()) <= 300 for section in sections[:-1])
    assert {section.heading for section in sections} == {"Long"}
    assert all(section.text.endswith("again.") or section.text.endswith("again. ") for section in sections)


def test_one_enormous_line_is_cut_too() -> None:
    assert all(len(section.text.split()) <= 450 for section in split("word " * 20_000))
    assert all(len(section.text) <= 6_000 for section in split("x" * 100_000))


def test_a_tiny_introduction_joins_what_it_introduces() -> None:
    (section,) = split(f"# Returns\n\nFor shops.\n\n## Without receipt\n\n{WORDS}")
    assert section.heading == "Returns > Without receipt"
    assert section.text.startswith("For shops.")


def test_small_siblings_are_gathered_under_their_parent_and_keep_their_headings_as_text() -> None:
    (section,) = split("# FAQ\n\n## May I?\n\nYes.\n\n## Must I?\n\nNo.\n\n## Can I?\n\nAsk.")
    assert section.heading == "FAQ"
    assert section.text == "## May I?\nYes.\n\n## Must I?\nNo.\n\n## Can I?\nAsk."


def test_a_page_without_text_has_no_sections_and_a_lone_heading_is_one() -> None:
    assert split("") == ()
    assert [section.text for section in split("# Alone\n")] == ["# Alone"]


def test_a_heading_without_text_is_not_lost_when_what_it_heads_is_gathered() -> None:
    assert [section.text for section in split("# One\n## Two\n# Next")] == ["One\n## Two\n\n# Next"]
    assert [section.text for section in split("# One\n## Two\n## Three\n# Next")] == [
        "One\n## Two\n\n## Three\n\n# Next"
    ]


_LINES = st.lists(
    st.sampled_from(
        [
            "# One",
            "## Two",
            "### Three",
            "##",
            "text here",
            "",
            "```",
            "- item",
            "===",
            "---",
            "| a | b |",
            "> q",
            WORDS,
            "~~~",
        ]
    )
)


@given(_LINES)
def test_no_word_of_a_page_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = " ".join(f"{section.heading} {section.text}" for section in split(text))
    for word in ("item", "here", "fox", "One", "Two", "Three"):
        assert (word in text) == (word in found)


@given(st.text())
def test_any_text_can_be_split(text: str) -> None:
    assert all(section.text.strip("\n") for section in split(text))


def test_hostile_pages_are_split_in_linear_time() -> None:
    for unit in ("#" * 10, "[", "`" * 3 + "\n", "=\n", "a\n-\n", "[a](b", "> ", "|", "# #\n", " \n", "- " * 5):
        page = unit * (40_000 // len(unit))
        assert sum(len(section.text) for section in split(page)) <= 2 * len(page), "nothing is multiplied"
