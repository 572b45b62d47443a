"""Two answers say the same, or they do not: by their text, their last number, their JSON, or their calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.routing.agreement import Said, agree, last_number
from fairlead.tasks.cascades import Likeness


@pytest.mark.parametrize(
    ("likeness", "one", "other", "same"),
    [
        ("text", "Yes, it  is.", "yes, it is", True),
        ("text", "yes", "no", False),
        ("text", "", "", False),
        ("number", "It is 1,200.50 euro.", "So: 1200.5", True),
        ("number", "3 and 4", "4", True),
        ("number", "none", "none", False),
        ("number", "-4", "4", False),
        ("json", '{"a": 1, "b": [2.0]}', '{"b": [2], "a": 1}', True),
        ("json", '{"a": 1}', '{"a": true}', False),
        ("json", "{", "{", False),
    ],
)
def test_what_is_the_same_is_as_declared(likeness: Likeness, one: str, other: str, same: bool) -> None:
    assert agree(Said(one), Said(other), likeness) is same
    assert agree(Said(other), Said(one), likeness) is same


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("about 1.234,50", "1234.5"),
        ("1,234", "1234"),
        ("1.234", "1.234"),
        ("1.234.567", "1234567"),
        ("3,5", "3.5"),
        ("12'000", "12000"),
        ("007.", "7"),
        ("-0", "0"),
        ("x-3", "3"),
        ("1" * 61, None),
        ("no", None),
    ],
)
def test_the_last_number_is_written_plainly(text: str, number: str | None) -> None:
    assert last_number(text) == number


def test_calls_of_tools_count_alone_and_must_be_equal() -> None:
    pay = (("pay", '{"eur": 3, "to": "x"}'),)
    assert agree(Said("a", pay), Said("b", (("pay", '{"to":"x","eur":3.0}'),)), "text")
    assert not agree(Said("a", pay), Said("a"), "text")
    assert not agree(Said("", (("pay", "{"),)), Said("", (("pay", "{"),)), "text")


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["text", "number", "json"]))
def test_whatever_is_said_agreement_is_mutual(one: str, other: str, likeness: Likeness) -> None:
    assert agree(Said(one), Said(other), likeness) is agree(Said(other), Said(one), likeness)
