import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.models.words import stems, words


@pytest.mark.parametrize(
    "group",
    [
        ("return", "returns", "returned", "returning"),
        ("policy", "policies"),
        ("refund", "refunds", "refunding"),
        ("approve", "approved", "approves", "approving"),
        ("stop", "stopped", "stopping"),
        ("box", "boxes"),
        ("category", "categories"),
        ("pay", "payment", "payments", "paying"),
    ],
)
def test_forms_of_a_word_share_a_stem(group: tuple[str, ...]) -> None:
    assert len({tuple(stems(word)) for word in group}) == 1


def test_different_words_keep_apart() -> None:
    assert stems("universal") != stems("university")
    assert stems("business") != stems("busy")
    assert stems("2023") != stems("2022")


def test_stop_words_are_left_out_and_accents_folded() -> None:
    assert stems("What is the Café's price?") == [*stems("cafe"), *stems("price")]


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert words("返品は30日") == ["返", "品", "は", "30", "日"]


@given(st.text())
def test_words_are_letters_and_digits_only(text: str) -> None:
    assert all(word and not set(word) & set(" \"'*():^-+_.{}[]\0") for word in words(text))
