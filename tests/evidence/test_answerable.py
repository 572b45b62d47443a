"""The local checker on small texts: what it doubts, why, and that nothing makes it fail or read without end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.evidence import answerable, mentioned
from fairlead.evidence.sentences import MOST_CHARACTERS, sentences_of
from fairlead.models.types import Passage

REFUNDS = Passage(
    "finance/refunds@0123456789ab",
    "Refunds",
    "Customers get a refund within 14 days of a written request. Refunds above 500 euros are approved by the head of "
    "customer care. Vouchers are not refunded.",
)
OFFICE = Passage("office@0123456789ab", "Office", "The office in Lyon opened in 2019. It has room for forty people.")
PIECES = ["a", "who", "1999", "not", "never", "$", ".", ";", "\n", "#", "|", "Lyon"]
TEXTS = st.text(max_size=80) | st.lists(st.sampled_from(PIECES)).map(" ".join)


def test_what_stands_there_scores_higher_than_what_only_looks_so() -> None:
    asked = answerable("Who approves refunds above 500 euros?", [OFFICE, REFUNDS])
    turned = answerable("Who does not approve refunds above 900 dollars?", [OFFICE, REFUNDS])
    assert asked.score > turned.score + 0.2
    assert asked.passage == 1
    assert asked.sentence.startswith("Refunds above 500 euros")
    assert "nothing is said of 'dollars'" in turned.reasons


def test_the_reasons_name_what_is_missing() -> None:
    found = answerable("When did the office in Marseille open?", [OFFICE])
    assert "nothing is said of 'marseille'" in found.reasons
    assert answerable("How?", [OFFICE]).reasons == ("the question has no word that says what it is about",)
    assert answerable("Who approves?", []).reasons == ("there is nothing to answer from",)


def test_other_words_for_the_same_count() -> None:
    terms = [Passage("nda@0123456789ab", "", "The Recipient may keep one duplicate. Oral statements are covered.")]
    said = mentioned("Information that is conveyed verbally is covered.", terms)
    assert said.score > mentioned("Arbitration takes place in Geneva.", terms).score
    assert said.sentence == "Oral statements are covered."


@given(TEXTS, st.lists(TEXTS, max_size=4))
@settings(max_examples=15, deadline=None)
def test_any_text_gets_a_score(question: str, texts: list[str]) -> None:
    passages = [Passage("page@0123456789ab", "", text) for text in texts]
    for found in (answerable(question, passages), mentioned(question, passages)):
        assert 0 <= found.score <= 1
        assert -1 <= found.passage < len(passages)


def test_what_is_read_is_bounded() -> None:
    for piece in ("abcd1 ", "- x\n", "not [(,"):
        long = Passage("page@0123456789ab", "", piece * (MOST_CHARACTERS // len(piece)))
        read = sentences_of([long, REFUNDS])
        assert sum(len(each.text) for each in read) <= MOST_CHARACTERS
        assert all(len(each.text) <= 700 for each in read)
    assert not sentences_of([Passage("page@0123456789ab", "", " " * MOST_CHARACTERS + "Beyond what is read.")])
