"""Values as Cedar takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.policy.tool_schema import counts, fact_value

LONG = 2**63
SCHEMA = {"properties": {"many": {"type": "array"}, "one": {"type": "string"}}}


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none()))
def test_an_integer_is_a_whole_number_that_cedar_holds_or_nothing(value: object) -> None:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if whole and -LONG <= value < LONG:  # type: ignore[operator]
        assert fact_value(value, "integer", "n") == value
        assert fact_value([value, value], "integers", "n") == [value, value]
    else:
        for given_, kind in ((value, "integer"), ([value], "integers"), (value, "integers")):
            with pytest.raises(BadInput, match="the fact n is not of the kind"):
                fact_value(given_, kind, "n")  # type: ignore[arg-type]


@given(st.lists(st.integers()))
def test_every_element_of_a_list_counts(values: list[int]) -> None:
    assert counts({"many": values, "one": "text", "stray": values}, SCHEMA) == {"many": len(values)}
    assert counts({"one": "text"}, SCHEMA) == {}
