import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.meaning import words_said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Refunds within **60** days.", "Refunds\nwithin 60\ndays"),
        ("- a b\n- c", "1. a b\n2. c"),
        ("a\n\n* b", "a\n\n+ b"),
        ("[x](a.md) y", "[x](b/c.md#z) y"),
        ("[x][1] y\n\n[1]: https://example.org/a", "[x][2] y\n\n[2]: https://example.org/b 'Title'"),
        ("![img](a.png) [![b](x)](y)", "![img](b.png) [![b](z)](q)"),
        ("## H\n\ntext", "#### H ####\ntext"),
        ("within\n60. Then go", "within 60. Then go"),
        ("`code` and _this_", "code and this"),
        ("> quoted\n> on", "quoted on"),
        ("| a | b |\n|---|:-:|\n| c | d |", "a | b\n--- | ---\nc | d"),
        ("a<br/>b <!-- note -->", "a b"),
        ("it\u2019s \u201chere\u201d", 'it\'s "here"'),
        ("see 1\\. and \\*", "see 1. and"),
        ("a &amp; b", "a & b"),
        ("so:\n1. a\n2. b", "so:\n- a\n- b"),
        ("1. a b\n   c\n2. d", "- a\n  b c\n- d"),
        ("[[see] a](x) b", "[[see] a](y) b"),
        ("x/**b**", "x/__b__"),
        ("`a`/b", "a / b"),
        ("ready\u2014or (not)yet", "ready \u2014 or not yet"),
        ("2\u20133 days", "2-3 days"),
    ],
)
def test_how_a_text_is_written_does_not_count(one: str, other: str) -> None:
    assert words_said(one) == words_said(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 days", "-5 days"),
        ("must pay", "must not pay"),
        ("60 days", "90 days"),
        ("1.5 hours", "15 hours"),
        ("don't", "do"),
        ("~~no~~", "no"),
        ("a < b", "a > b"),
        ("$5", "€5"),
        ("5%", "5"),
        ("- [ ] done", "- [x] done"),
        ("| a | 5 | |", "| a | | 5 |"),
        ("within\n60. Then", "within\n90. Then"),
        ("[ours](x)", "[theirs](x)"),
        ("a\nwithin\n60. Then\n90. So", "a\nwithin\n60. Then\n30. So"),
        ("snake_case", "snakecase"),
    ],
)
def test_what_a_text_says_counts(one: str, other: str) -> None:
    assert words_said(one) != words_said(other)


@given(st.text())
def test_any_text_has_words_or_none(text: str) -> None:
    assert all(words_said(text))


def test_hostile_texts_take_linear_time() -> None:
    for unit in (
        "[",
        "](",
        "<a ",
        "<!--",
        "[a](",
        "*",
        "\\",
        "~~",
        "| ",
        "```\n",
        "[a]: b\n",
        "{#",
        "![",
        "> ",
        "1. ",
        "[a]",
        "[[a]",
        "_",
        "_a",
        "1. a\n",
    ):
        text = unit * (40_000 // len(unit))
        assert sum(map(len, words_said(text))) <= len(text), "a hostile text says no more than it holds"
