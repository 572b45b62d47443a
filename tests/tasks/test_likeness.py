"""Recognition from examples: what is alike is found, what is not is left alone, and no text can break it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.tasks import likeness as module
from fairlead.tasks.lanes import BITS
from fairlead.tasks.likeness import _WEIGHT, LEAST_THRESHOLD, MOST_THRESHOLD, Likeness

EXAMPLES = {
    "billing": [
        "Why was I charged twice this month?",
        "I want a refund for my last invoice",
        "How do I change the card you bill?",
        "There is a charge on my invoice I do not know",
        "When will my refund arrive?",
        "Please send me the invoice for March",
    ],
    "contract": [
        "Does this clause allow early termination?",
        "Check the liability clause of the contract",
        "What notice period does the agreement ask for?",
        "Is there a penalty clause for late delivery?",
        "Who owns the work under this agreement?",
        "Summarise the termination terms of the contract",
    ],
}


@pytest.fixture(scope="module")
def likeness() -> Likeness:
    return Likeness(EXAMPLES)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("where is the refund for the invoice of May?", "billing"),
        ("I was CHARGED again!", "billing"),
        ("which clause of the agreement covers termination", "contract"),
        ("what is the capital of Peru?", None),
        ("", None),
        ("??? — …", None),
    ],
)
def test_a_question_is_recognised_by_what_its_examples_share(
    likeness: Likeness, question: str, kind: str | None
) -> None:
    assert likeness.closest(question)[0] == kind


def test_every_example_is_recognised(likeness: Likeness) -> None:
    for kind, examples in EXAMPLES.items():
        for example in examples:
            found, confidence = likeness.closest(example)
            assert found == kind
            assert confidence > likeness.threshold


def test_an_inflected_word_is_still_alike(likeness: Likeness) -> None:
    assert likeness.closest("refunds refunded refunding")[0] == "billing"


def test_one_type_alone_is_still_told_from_everything_else() -> None:
    alone = Likeness({"billing": EXAMPLES["billing"]})
    assert alone.closest("my invoice has a wrong charge")[0] == "billing"
    assert alone.closest("translate this poem into Dutch")[0] is None


def test_a_draw_between_two_types_is_decided_by_neither() -> None:
    drawn = Likeness({"a": ["apple pear"], "b": ["grape pear"]})
    assert drawn.closest("pear")[0] is None


@pytest.mark.parametrize("examples", [["one single example"], ["the very same"] * 6])
def test_few_or_repeated_examples_leave_the_threshold_within_bounds(examples: list[str]) -> None:
    made = Likeness({"only": examples})
    assert LEAST_THRESHOLD <= made.threshold <= MOST_THRESHOLD
    assert made.closest(examples[0])[0] == "only"


def test_types_without_examples_take_no_part() -> None:
    assert Likeness({"silent": [], "billing": EXAMPLES["billing"]}).names == ("billing",)


def test_what_is_remembered_of_words_is_bounded(likeness: Likeness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 50)
    for number in range(300):
        likeness.closest(f"word{number} other{number}")
    assert len(likeness._remembered) <= 50
    assert likeness.closest("refund of the invoice")[0] == "billing"


def test_only_the_beginning_of_a_long_text_counts(likeness: Likeness) -> None:
    question = "when will the refund of my invoice arrive " * 15
    assert likeness.closest(question) == likeness.closest(question + "clause contract termination " * 200)


@given(st.text(st.characters(codec=None), max_size=700))
def test_any_text_gets_an_answer_between_none_and_certain(text: str) -> None:
    likeness = Likeness(EXAMPLES)
    kind, confidence = likeness.closest(text)
    assert kind in {None, "billing", "contract"}
    assert 0.0 <= confidence <= 1.0
    assert likeness.closest(text) == (kind, confidence)


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c"]), st.lists(st.text(min_size=1), min_size=1, max_size=4), min_size=1
    ),
    st.text(),
)
def test_any_examples_can_be_learnt_from(examples: dict[str, list[str]], text: str) -> None:
    kind, confidence = Likeness(examples).closest(text)
    assert kind is None or kind in examples
    assert 0.0 <= confidence <= 1.0


def test_the_heaviest_possible_text_stays_within_its_lane() -> None:
    words = [chr(0x4E00 + number) * 40 for number in range(250)]
    made = Likeness({"a": words, "b": ["ordinary words"] * 2_000})
    kind, confidence = made.closest(" ".join(words))
    assert 0.0 <= confidence <= 1.0
    assert kind in {None, "a"}
    largest = max(abs(score) for adds in made._learnt for score in made._lanes.unpacked(adds))
    assert largest * 600 * round(12 * _WEIGHT) < 1 << (BITS - 1), "as many pieces as a text can have, all this heavy"


def test_kinds_that_are_mistaken_for_each_other_are_drawn_apart() -> None:
    drawn = Likeness(
        {
            "lost": ["my card is lost", "I lost my card", "the card was lost at the beach"],
            "declined": ["my card is declined", "the shop declined my card", "my card was declined at the till"],
        }
    )
    assert [drawn.closest(f"my card {what} in the shop")[0] for what in ("got lost", "was declined")] == [
        "lost",
        "declined",
    ]


def test_the_same_examples_teach_the_same_in_every_process(likeness: Likeness) -> None:
    again = Likeness(EXAMPLES)
    assert (again.threshold, again.closest("which invoice?")) == (
        likeness.threshold,
        likeness.closest("which invoice?"),
    )
