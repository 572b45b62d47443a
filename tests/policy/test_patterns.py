import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.policy.detectors import built_in, tokens
from fairlead.policy.patterns import Matcher, Pattern, bounded

SHAPES = (
    r"\bab{1,3}c\b",
    r"(?i)order[ -]?#?\d{2,4}",
    r"(?:cat|catalogue|c[aeiou]t) (?:x|yy){1,3}z?",
    r"a(?:b(?:c|d){0,2}){1,2}\B.é",
    r"(?P<value>\d{1,3}(?:,\d{3}){0,2})\s?(?:EUR|€)",
    r"[^a-c]{2,3}x|x[\w-]{1,4}=",
)


@pytest.mark.parametrize("source", SHAPES)
@given(data=st.data())
def test_every_beginning_of_a_match_is_recognised_as_one(source: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(source, re.ASCII), fullmatch=True))
    pattern = Pattern(source)
    if pattern.matcher.spans(text.encode(), 0)[0] != (0, len(text.encode())):
        return  # RE2 prefers a shorter alternative, or knows fewer characters as white space
    growing = Matcher(f"(?:{pattern.beginning})\\z")
    for length in range(1, len(text) + 1):
        assert growing.spans(text[:length].encode(), 0)[0][0] == 0


def test_what_cannot_become_a_match_is_not_held() -> None:
    growing = Matcher(f"(?:{Pattern(SHAPES[0]).beginning})\\z")
    for text in ("hello", "ab c", "xab", "abbbb", "abc "):
        assert growing.spans(text.encode(), 0)[0][0] == len(text)


def test_the_character_before_decides_about_a_word_boundary() -> None:
    growing = Matcher(f"(?:{Pattern(SHAPES[0]).beginning})\\z")
    assert growing.spans(b"xa", 1)[0][0] == 2
    assert growing.spans(b" a", 1)[0][0] == 1


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a+", "without end"),
        ("ab*", "without end"),
        ("a{3,}", "without end"),
        ("x.{0,600}", "at most 512"),
        ("(?=a)b", "RE2"),
        (r"(a)\1", "RE2"),
        ("^total", "anchor"),
        ("end$", "anchor"),
        ("a{0,3}", "empty text"),
        ("[", "unterminated"),
    ],
)
def test_a_pattern_that_a_stream_cannot_follow_is_refused_with_the_mend(source: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        bounded(source, "detector 'x'")
    assert why in caught.value.why
    assert caught.value.mend
    assert repr(source) in caught.value.message


def test_built_in_patterns_are_bounded_but_for_keys_and_tokens_whose_tail_must_not_escape() -> None:
    unbounded = {each.name for each in built_in() if not each.pattern.bounded}
    issued = {each.name for each in tokens.ENTRIES}
    secrets = {"private_key", "jwt", "jwt_encoded", "bearer_token", "model_key", "chat_token", "dashboard_token"}
    assert unbounded - issued == secrets | {"cloud_model_key", "cluster_secret", "url"}
