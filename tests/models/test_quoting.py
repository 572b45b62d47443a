import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.models.quoting import question_of, quotes
from fairlead.models.types import Passage

RETURNS = Passage(
    "returns@0123456789ab",
    "Returns",
    """Customers may return an item within 30 days of purchase. Without a receipt they get a credit, e.g. a gift card.

| Channel | Return period |
|---------|---------------|
| Online  | 30 days       |
| Outlet  | 14 days       |

## Papers

For a return we need:

- the receipt,
- an identity card of the customer

Refunds are paid back within 5 working
days. The all-hands is every Monday.""",
)
TRAVEL = Passage("travel@0123456789ab", "Travel", "Flights above 900 dollars need the approval of a director.")


def ask(question: str, *passages: Passage) -> list[str]:
    return [unit.text for unit in quotes(question_of(question), passages or (RETURNS, TRAVEL))]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "How many days do customers have to return an item?",
            ["Customers may return an item within 30 days of purchase."],
        ),
        (
            "hi, how many days do customers have to return an item",
            ["Customers may return an item within 30 days of purchase."],
        ),
        ("What do customers get without a receipt?", ["Without a receipt they get a credit, e.g. a gift card."]),
        ("What is the return period of an Outlet?", ["| Channel | Return period |", "| Outlet  | 14 days       |"]),
        (
            "What do we need for a return?",
            ["For a return we need:", "the receipt,", "an identity card of the customer"],
        ),
        ("When are refunds paid?", ["Refunds are paid back within 5 working\ndays."]),
        ("When is the all-hands?", ["The all-hands is every Monday."]),
        ("I was in Rome. Do flights above 900 dollars need approval?", [TRAVEL.text]),
    ],
)
def test_the_sentence_row_or_item_that_answers_is_quoted(question: str, answer: list[str]) -> None:
    assert ask(question) == answer


@pytest.mark.parametrize(
    "question",
    [
        "Who is the chief executive?",
        "How do I reset my password?",
        "How many vacation days do employees get?",
        "Do flights above 500 dollars need the approval of a director?",  # another number
        "May customers in Berlin return an item?",  # a place that no page names
        "How much credit do they get without a receipt?",  # asks for a number that is not there
        "",
        "?!",
        "what is it",
    ],
)
def test_what_the_passages_do_not_say_is_not_answered(question: str) -> None:
    assert ask(question) == []


def test_without_passages_nothing_is_quoted() -> None:
    assert quotes(question_of("How many days?"), []) == []


_PIECES = st.lists(
    st.sampled_from(["# H", "| a | b |", "|---|", "- item one", "Refunds take days.", "", "```", "A: b:", "1. x"])
)


@given(_PIECES.map("\n".join) | st.text(), st.text() | st.just("refunds take item one days"))
def test_whatever_is_quoted_stands_in_a_passage_word_for_word(text: str, question: str) -> None:
    found = ask(question, Passage("p@0123456789ab", "Title", text))
    assert len(found) <= 3
    assert all(quote and quote in text for quote in found)


def test_hostile_passages_are_read_in_linear_time() -> None:
    for unit in (".", ". ", "- ", "| ", "#", "a:\n- b\n", "1" * 50, "!\"'"):
        ask("How many days?", Passage("p@0123456789ab", "T", unit * (60_000 // len(unit))))
