"""Canonical JSON is RFC 8785, checked against an independent implementation."""

from enum import StrEnum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from fairlead.audit import NotCanonical, canonical

LARGEST = 2**53 - 1
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES)
def test_every_value_is_spelt_as_the_rfc_says(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(alphabet="a\x7f\u20ac\ud7ff\ue000\uff21\uffff\U00010000\U0001f600\U0010ffff"), SCALARS))
def test_keys_are_sorted_by_utf16_code_units_and_not_by_code_points(value: dict[str, object]) -> None:
    assert canonical({"in": [value]}) == rfc8785.dumps({"in": [value]})  # type: ignore[dict-item]


def test_an_emoji_sorts_before_a_private_use_character() -> None:
    assert canonical({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'.encode()


class Colour(StrEnum):
    red = "red"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        [0.5],
        {"a": {"b": 1.5}},
        LARGEST + 1,
        -LARGEST - 1,
        [10**30],
        "\ud800",
        {"\udfff": 1},
        {1: "a"},
        {None: "a"},
        b"bytes",
        {"a": {1, 2}},
        Colour.red,
        Text("x"),
    ],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical, match="not canonical JSON"):
        canonical(value)


def test_a_value_nested_without_end_is_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical, match="nested too deeply"):
        canonical(value)
