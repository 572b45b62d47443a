"""One letter, however Unicode writes it, is one letter to a rule about words."""

from unicodedata import normalize

import re2
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.patterns import Pattern
from fairlead.policy.spellings import ends_sharp, spelled

LETTERS = st.text(st.sampled_from("aesßxÅéüçạ̈ếǭΐйが하s"), min_size=1, max_size=8).map("x".__add__)


@given(LETTERS)
def test_every_form_of_a_text_is_found_and_nothing_else(text: str) -> None:
    pattern = Pattern(spelled(text)).text
    for form in ("NFC", "NFD"):
        assert re2.fullmatch(pattern, normalize(form, text))
        assert re2.fullmatch(f"(?i){pattern}", normalize(form, text.upper()))
        assert not re2.fullmatch(pattern, normalize(form, text) + "x")


@given(st.text(max_size=8))
def test_any_text_has_a_pattern_that_finds_it(text: str) -> None:
    if text:
        assert re2.fullmatch(f"(?s){spelled(text)}", normalize("NFC", text))


def test_letters_of_ascii_alone_stay_as_they_are() -> None:
    assert spelled("guarantee") == "guarantee"
    assert spelled("pass") == "pa(?:ss|\u00df)"
    assert (ends_sharp("Pass"), ends_sharp("Gro\u00df"), ends_sharp("gas")) == (True, True, False)


def test_marks_that_stand_apart_are_found_in_every_order_that_means_the_same() -> None:
    for way in ("\u1e69", "s\u0323\u0307", "s\u0307\u0323", "\u1e61\u0323", "\u1e63\u0307"):
        assert re2.fullmatch(spelled("\u1e69"), way)
    assert not re2.fullmatch(spelled("\u1ebf"), "e\u0301\u0302")
