import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy.detectors.catalogue import CLASSES, TABLE
from fairlead.policy.patterns import Matcher, Pattern

HINTED = [row for row in TABLE if row[4]]


@pytest.mark.parametrize("row", HINTED, ids=[row[0] for row in HINTED])
@settings(max_examples=25)
@given(data=st.data())
def test_a_hint_occurs_wherever_its_pattern_does(row: tuple, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(row[2], re.ASCII), fullmatch=True)).encode()
    if Pattern(row[2]).matcher.spans(text, 0)[0][0] >= 0:
        assert Matcher(Pattern(row[4]).text).spans(text, 0)[0][0] >= 0


def test_names_are_unique_and_every_category_has_a_class() -> None:
    names = [row[0] for row in TABLE]
    assert len(set(names)) == len(names)
    assert {row[1] for row in TABLE} == set(CLASSES)
