import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.policy import injection
from fairlead.policy.detectors import CLASSES, ENTRIES
from fairlead.policy.detectors.entry import Entry
from fairlead.policy.patterns import Matcher, Pattern

HINTED = [each for each in ENTRIES if each.hint]


@pytest.mark.parametrize("entry", HINTED, ids=[each.name for each in HINTED])
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_hint_occurs_wherever_its_pattern_does(entry: Entry, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(entry.pattern, re.ASCII), fullmatch=True)).encode()
    if Pattern(entry.pattern).matcher.spans(text, 0)[0][0] >= 0:
        assert Matcher(Pattern(entry.hint).text).spans(text, 0)[0][0] >= 0


def test_names_are_unique_and_every_category_has_a_class() -> None:
    names = [each.name for each in ENTRIES]
    assert len(set(names)) == len(names)
    assert {each.category for each in ENTRIES} | {injection.CATEGORY, "person_name"} == set(CLASSES)


def test_every_detector_and_every_check_says_what_it_does() -> None:
    assert all(each.finds for each in ENTRIES)
    assert [each.name for each in ENTRIES if each.check and not each.check.__doc__] == []
